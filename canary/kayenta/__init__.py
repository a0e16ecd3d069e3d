"""Kayenta's judge: its rules, its statistics, and the import of its configurations."""

from canary.kayenta.judge import judge_kayenta, kayenta_judgement

__all__ = ["judge_kayenta", "kayenta_judgement"]
