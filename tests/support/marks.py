"""Marks of tests with requirements that not every machine meets."""

import shutil

import pytest

needs_haproxy = pytest.mark.skipif(
    shutil.which("haproxy", path="/usr/sbin:/usr/bin") is None,
    reason="haproxy is not installed: apt-get install haproxy",
)
