"""SEARCH against the examples of the user guide's "CloudWatch search expression syntax"."""

from __future__ import annotations

import pytest

from local_cloud.cloudwatch.errors import ValidationError
from tests.unit.local_cloud.cloudwatch_world import NOON, World, dimensions

SHOP = [
    ("requests", {"Environment": "local", "Colour": "blue", "Instance": "i-1"}, 1.0),
    ("requests", {"Environment": "local", "Colour": "green", "Instance": "i-2"}, 2.0),
    ("errors", {"Environment": "local", "Colour": "green", "Instance": "i-2"}, 4.0),
    ("CustomCount1", {"Environment": "local"}, 8.0),
    ("Project2-trial333", {"Environment": "local", "Name": "Europe\\France Traffic(Net)"}, 16.0),
]


@pytest.mark.parametrize(
    ("search", "total", "why"),
    [
        ('{Shop,Environment,Colour,Instance} MetricName="requests"', 3.0, "a schema and a name"),
        ('{Shop,Instance,Colour,Environment} MetricName="requests"', 3.0, "in any order"),
        ("{Shop,Environment,Colour,Instance}", 7.0, "a schema alone"),
        ('{Shop,Environment} MetricName="requests"', None, "dimensions must be all there are"),
        ('{Other,Environment,Colour,Instance} "requests"', None, "another namespace"),
        ('MetricName="requests"', 3.0, "without a schema"),
        ('MetricName="requests" Colour="green"', 2.0, "unsaid AND"),
        ('MetricName="requests" AND Colour="green"', 2.0, "AND"),
        ('Colour="green"', 6.0, "by dimension"),
        ('MetricName="requests" NOT Colour="green"', 1.0, "NOT"),
        ('MetricName="errors" OR Colour="blue"', 5.0, "OR"),
        ('(MetricName="errors" OR MetricName="requests") Colour="green"', 6.0, "brackets"),
        ('"green"', 6.0, "an exact term anywhere"),
        ('"CustomCount1"', 8.0, "the guide's exact match"),
        ('"customcount1"', None, "exact matches keep capitals"),
        ('"Custom"', None, "exact matches are whole"),
        ("count", 8.0, "partial match of a token"),
        ("COUNT", 8.0, "partial matches ignore capitals"),
        ("couNT", None, '"tokenized into cou and NT"'),
        ("trial", 16.0, "token of Project2-trial333"),
        ("333", 16.0, "token of Project2-trial333"),
        ("MetricName=custom", 8.0, "partial match of one property"),
        (r'"Europe\\France Traffic\(Net\)"', 16.0, "escaped as the guide says"),
        ('NOT Namespace="Shop"', None, "a NOT alone"),
    ],
)
def test_search_finds_what_the_guide_says(search: str, total: float | None, why: str) -> None:
    """User guide, "CloudWatch search expression syntax"."""
    world = World()
    for name, named, value in SHOP:
        metric = {"MetricName": name, "Dimensions": dimensions(**named), "Value": value}
        world.put({**metric, "Timestamp": NOON - 60})
    expression = {"Id": "e", "Expression": f"SUM(SEARCH('{search}', 'Sum', 60))"}
    assert world.points([expression])["e"] == ({} if total is None else {0: total}), why


def test_search_labels_tell_its_series_apart() -> None:
    world = World()
    for name, named, value in SHOP[:2]:
        metric = {"MetricName": name, "Dimensions": dimensions(**named), "Value": value}
        world.put({**metric, "Timestamp": NOON - 60})
    search = "SEARCH('{Shop,Environment,Colour,Instance} \"requests\"', 'Sum', 60)"
    found = world.call(
        "GetMetricData",
        MetricDataQueries=[{"Id": "e", "Expression": search, "Label": "Now"}],
        StartTime=NOON - 60,
        EndTime=NOON,
    )
    labels = [each["Label"] for each in found["MetricDataResults"]]
    assert labels == ["Now requests blue i-1", "Now requests green i-2"]
    assert {each["Id"] for each in found["MetricDataResults"]} == {"e"}


@pytest.mark.parametrize("search", ["", " ", "{}", "a AND", "(a", "a)", "NOT", "x" * 1025, '"a'])
def test_what_is_no_search_is_refused(search: str) -> None:
    with pytest.raises(ValidationError, match="Error in expression 'e'"):
        World().points([{"Id": "e", "Expression": f"SEARCH('{search}', 'Sum', 60)"}])
