"""Destroying the cloud removes everything from the machine."""

import shutil

import pytest

from tests.support.local_cloud_machine import Cloud, Traces, traces

pytestmark = [pytest.mark.timeout(300)]


@pytest.mark.usefixtures("app")
def test_destroy_leaves_the_machine_as_found(cloud: Cloud, before: Traces) -> None:
    assert traces(cloud.settings) != before  # otherwise this test could not fail
    cloud.command("destroy")
    assert traces(cloud.settings) == before
    assert not cloud.settings.state.exists()
    assert cloud.command("destroy").stdout == "There is no local cloud here.\n"


def test_destroy_works_even_when_the_state_was_deleted(cloud: Cloud, before: Traces) -> None:
    cloud.command("host", "start", "lost", "--ip", "10.88.200.11", "--key", str(cloud.key))
    cloud.command("up")
    shutil.rmtree(cloud.settings.state)
    assert cloud.command("destroy").stdout == "Destroyed.\n"
    assert traces(cloud.settings) == before


def test_the_last_lone_host_takes_the_network_with_it(cloud: Cloud, before: Traces) -> None:
    cloud.command("host", "start", "lone", "--ip", "10.88.200.10", "--key", str(cloud.key))
    cloud.command("host", "stop", "lone")
    assert traces(cloud.settings) == before
