"""`check`: each thing that mail needs, ok or with what to do."""

from __future__ import annotations

from servers.catcher import Catcher


def test_all_is_well(site):
    with Catcher() as catcher, site.background("run"):
        site.configure(SMTP_PORT=catcher.port)
        assert site.ctl("start").status == 0
        ended = site.ctl("check")
        assert ended.status == 0, ended.out
        levels = {line.split()[0] for line in ended.out.splitlines()}
        assert {"ok"} <= levels <= {"ok", "warning"}
        assert catcher.messages == []


def test_all_is_well_before_the_first_start(site):
    with Catcher() as catcher:
        site.configure(SMTP_PORT=catcher.port)
        ended = site.ctl("check")
    assert ended.status == 0, ended.out
    assert ended.out.splitlines()[-1].split() == [
        *("warning", "daemon", "none", "is", "running:", "'start'", "starts", "one")
    ]
