"""Suggestions: a policy from history, with reasons, measured before it is proposed."""

from canary.offline.suggest.bench import Wish
from canary.offline.suggest.kinds import LeftOut, choose
from canary.offline.suggest.propose import Suggested, Suggestion, suggest
from canary.offline.suggest.text import accepted_words, policy_text, summary

__all__ = [
    "LeftOut",
    "Suggested",
    "Suggestion",
    "Wish",
    "accepted_words",
    "choose",
    "policy_text",
    "suggest",
    "summary",
]
