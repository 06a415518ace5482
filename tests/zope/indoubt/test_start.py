"""A real Zope decides about the batches that an earlier one has left."""

from __future__ import annotations

import subprocess

import pytest
from waiting import wait_until


@pytest.fixture
def instance(make_site, tmp_path, configuration_file):
    """A site whose zope.conf lists the configuration that the tests use."""
    site = make_site("file", "instance")
    listed = tmp_path / "instance" / "main" / "main.conf"
    listed.parent.mkdir()
    listed.write_text(configuration_file.read_text())
    return site


@pytest.mark.parametrize(
    ("where", "becomes"), [("finished", {"queued"}), ("voted", set())]
)
def test_zope_decides_when_it_starts(
    instance, die, states, in_process, scripts, where, becomes
):
    die(instance, where)
    assert states() == {"prepared"}
    zope = in_process(
        scripts / "plain_zope.py",
        instance.file.parent,
        0.0,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert zope.stdout.readline().strip(), "Zope did not start"
    wait_until(lambda: states() == becomes, what="the decision")
