"""A traffic split that differs from the intended one is reported with its most frequent cause."""

from __future__ import annotations

import dataclasses

import pytest

from canary.evidence.split import split_by_proxy
from canary.model import Arm
from canary.policy import Policy
from tests.support.policies import SHORT
from tests.unit.canary.verdict_recordings import healthy


@pytest.mark.parametrize(("candidate", "told"), [(0, True), (500, False)])
def test_one_address_that_is_one_user_is_named_as_the_reason(candidate: int, told: bool) -> None:  # noqa: FBT001
    sent = ((0, Arm.CANDIDATE, candidate), (0, Arm.BASELINE, 500))
    recording = dataclasses.replace(healthy(), split=sent)
    found = split_by_proxy(Policy.model_validate(SHORT), recording)
    assert [sentence.startswith("the proxy sent 0 % of both arms'") for sentence in found] == (
        [True] * told
    )
    assert all("proxy_sticky" in sentence for sentence in found)
