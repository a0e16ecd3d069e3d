"""Hostile policies and recordings, made to occupy the reader for hours."""

from __future__ import annotations

import pytest

from canary.errors import PolicyError, RecordingError
from canary.policy import parse_policy
from canary.recording import recording_from_text


def laughs(depth: int) -> str:
    """Return YAML with aliases of aliases: ten to the power of ``depth`` values."""
    lines = ["a0: &a0 [" + "x," * 10 + "]"]
    lines += [f"a{n}: &a{n} [" + f"*a{n - 1}," * 10 + "]" for n in range(1, depth)]
    return "\n".join(["version: 1", *lines, f"metrics: *a{depth - 1}"])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (laughs(9), "has more than 100,000 values, counted with its aliases"),
        ("version: 1\nmetrics: &m [*m]\n", "has an alias of a value that holds the alias"),
    ],
)
def test_aliases_that_grow_without_end_are_a_sentence(text: str, sentence: str) -> None:
    """Otherwise, half a kilobyte of them would occupy a processor for hours."""
    with pytest.raises(PolicyError, match=sentence):
        parse_policy(text)


def test_an_alias_may_stand_for_a_value() -> None:
    text = "version: 1\nmetrics:\n- &m {name: errors, kind: count}\n- {<<: *m, name: failures}\n"
    with pytest.raises(PolicyError, match="merge"):
        parse_policy(text)
    policy = parse_policy(
        "version: 1\nmetrics:\n- {name: a, kind: latency, margin: &m 5%}\n"
        "- {name: b, kind: latency, margin: *m}\n"
    )
    assert policy.metrics[0].margin == policy.metrics[1].margin


def test_a_number_of_thousands_of_digits_is_a_sentence() -> None:
    """The error is one sentence, not a traceback."""
    with pytest.raises(RecordingError, match="is not JSON: Exceeds the limit"):
        recording_from_text('{"version": 2, "recording": {"period": ' + 5000 * "9" + "}}")
