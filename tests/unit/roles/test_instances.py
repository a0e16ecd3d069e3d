"""The list of hosts, made from kinds and counts."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.plugin_filters import filter_of

one_by_one = filter_of("instances", "instances_one_by_one")


def test_a_host_is_named_by_environment_role_colour_and_number() -> None:
    kinds = [
        {"role": "proxy", "count": 1, "subnet": "public"},
        {"role": "app", "colour": "blue", "count": 2, "subnet": "app", "type": "t3.large"},
    ]
    assert one_by_one(kinds, "local") == [
        {"name": "local-proxy-1", "role": "proxy", "subnet": "public"},
        *(
            {
                "name": f"local-app-blue-{number}",
                "role": "app",
                "colour": "blue",
                "subnet": "app",
                "type": "t3.large",
            }
            for number in (1, 2)
        ),
    ]


def test_a_kind_that_is_not_wanted_has_no_host() -> None:
    assert one_by_one([{"role": "app", "colour": "green", "count": 0, "subnet": "app"}], "x") == []


WANTED: dict[str, Any] = {
    "name": "local-app-blue-1",
    "role": "app",
    "colour": "blue",
    "subnet": "app",
}
SEEN: dict[str, Any] = {
    "tags": {"Name": "local-app-blue-1", "role": "app", "colour": "blue", "Project": "shop"},
    "state": {"name": "running"},
    "instance_type": "t3.small",
    "security_groups": [{"group_name": "shop-local-app"}],
    "iam_instance_profile": {"arn": "arn:aws:iam::1:instance-profile/shop-local-app"},
    "metadata_options": {"http_tokens": "required"},
}


def launched(*seen: dict[str, Any]) -> list[str]:
    hosts = filter_of("instances", "instances_to_launch")(
        [WANTED], seen, name="shop-local", type_="t3.small"
    )
    return [host["name"] for host in hosts]


def test_a_host_that_is_right_is_left_alone() -> None:
    assert launched(SEEN) == []
    assert launched({**SEEN, "state": {"name": "pending"}}) == []


def test_a_host_that_is_missing_is_launched() -> None:
    assert launched() == ["local-app-blue-1"]
    assert launched({**SEEN, "tags": {"Name": "local-app-blue-2"}}) == ["local-app-blue-1"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"state": {"name": "stopped"}},
        {"instance_type": "t3.nano"},
        {"security_groups": [{"group_name": "default"}]},
        {"iam_instance_profile": None},
        {"iam_instance_profile": {"arn": "arn:aws:iam::1:instance-profile/shop-local-data"}},
        {"metadata_options": {"http_tokens": "optional"}},
        {"tags": {**SEEN["tags"], "colour": "green"}},
    ],
    ids=str,
)
def test_a_host_that_is_otherwise_than_wanted_is_seen_to(wrong: dict[str, Any]) -> None:
    assert launched({**SEEN, **wrong}) == ["local-app-blue-1"]
