"""The judge: (policy, recording) to findings and a verdict, each with its sentence. Pure."""

from canary.judge.verdict import judge

__all__ = ["judge"]
