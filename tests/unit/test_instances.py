"""Which hosts there shall be, from kinds and counts."""

from __future__ import annotations

from tests.unit.role_filters import filter_of

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
