"""The judge turns a policy and a recording into findings and a verdict. It has no side effects."""

from canary.judge.verdict import judge, judge_table

__all__ = ["judge", "judge_table"]
