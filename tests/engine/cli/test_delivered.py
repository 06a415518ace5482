"""What the commands show and do about mail that a relay has judged."""

from __future__ import annotations

from servers.scripted import Scripted
from waiting import wait_until

REFUSED = "550 5.1.1 no such user"


def test_failed_mail_is_shown_with_its_attempts_and_tried_again(site):
    with Scripted({"RCPT:b@example.org": [REFUSED, "250 2.1.5 Ok"]}) as server:
        site.configure(SMTP_PORT=server.port)
        id = site.send()
        site.ctl("run", "--once")
        assert site.state_of(id) == "failed"
        shown = site.ctl("show", id)
        assert f"127.0.0.1:{server.port}" in shown.out
        assert REFUSED in shown.out
        history = site.ctl("show", id, "--json").json["history"]
        assert [(each["outcome"], each["reply"]) for each in history] == [
            ("failed", REFUSED)
        ]
        ended = site.ctl("retry", "--all", "--state", "failed")
        assert ended.out == "1 message tried again at once\n"
        site.ctl("run", "--once")
        assert site.state_of(id) == "sent"


def test_a_retry_wakes_the_daemon_at_once(site):
    with Scripted({"RCPT:b@example.org": ["450 4.2.1 later", "250 Ok"]}) as server:
        site.configure(SMTP_PORT=server.port, MAILDROP_INTERVAL=600)
        assert site.ctl("start").status == 0
        id = site.send()
        wait_until(lambda: site.state_of(id) == "deferred", what="the deferral")
        site.ctl("retry", id)
        wait_until(lambda: site.state_of(id) == "sent", what="the delivery")


def test_a_reply_of_the_relay_does_not_steer_the_terminal(site):
    with Scripted({"RCPT:b@example.org": "550 no\x1b[2J\x07"}) as server:
        site.configure(SMTP_PORT=server.port)
        id = site.send()
        site.ctl("run", "--once")
    assert "\x1b" not in site.ctl("show", id).out
