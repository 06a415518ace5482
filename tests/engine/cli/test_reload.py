"""`maildropctl reload`: another configuration for the same daemon, or the old one."""

from __future__ import annotations

from engine.cli.conftest import pid_of
from servers.catcher import Catcher
from waiting import wait_until


def test_reload_makes_the_same_daemon_use_the_new_configuration(started):
    id = started.send()
    pid = pid_of(started.ctl("status").out)
    with Catcher() as catcher:
        started.configure(SMTP_PORT=catcher.port)
        assert started.ctl("reload").status == 0
        catcher.wait_for(1)
        wait_until(lambda: started.state_of(id) == "sent", what="the record")
    assert pid_of(started.ctl("status").out) == pid


def test_reload_refuses_a_configuration_with_an_error(started):
    started.configure(SMTP_PORT="x")
    assert started.ctl("reload").status == 2
    started.configure()
    assert started.ctl("status").status == 0


def test_reload_refuses_a_queue_that_the_daemon_would_not_go_on_with(started):
    path = started.configuration.home / "queue.db"
    away = path.rename(path.with_suffix(".away"))
    ended = started.ctl("reload")
    away.rename(path)
    assert ended.status == 1
    assert "its file was removed while others have it open" in ended.err
    assert ended.out == ""
    assert started.ctl("reload").status == 0


def test_reload_of_a_stopped_daemon_fails(site):
    ended = site.ctl("reload")
    assert ended.status == 1
    assert "not running" in ended.err
