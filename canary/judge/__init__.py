"""The judge: from a policy and a recording to findings and a verdict. Pure."""

from canary.judge.verdict import judge

__all__ = ["judge"]
