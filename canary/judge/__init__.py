"""The judge: from a policy and a recording to findings and a verdict. Pure."""

from canary.judge.verdict import judge, judge_table

__all__ = ["judge", "judge_table"]
