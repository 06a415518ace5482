"""A relay that takes fewer connections at once than MAILDROP_CONCURRENCY."""

from __future__ import annotations

import pytest
from servers.scripted import Drop, Hang, Scripted
from waiting import wait_until

from collective.maildrophost.engine.queue import State

TOO_MANY = Drop(b"421 4.7.0 too many connections\r\n")
ONE_ALONE = {"GREETING": ["220 relay.test", TOO_MANY]}


@pytest.mark.parametrize("refusal", [TOO_MANY, Drop()], ids=["421", "hangs up"])
def test_all_mail_goes_through_the_connection_that_the_relay_lets_in(
    site, make_mail, refusal
):
    with Scripted({"GREETING": ["220 relay.test", refusal]}) as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_CONCURRENCY=5)
        site.send(*[make_mail() for _ in range(20)])
        assert site.once() == 0
        assert len(relay.accepted) == 20
        tried = len(relay.conversations)
    assert 2 <= tried <= 6, "no other connection is tried for each mail"
    assert site.pauses == []
    assert "mail waits" not in site.log
    assert site.log.count("fewer than MAILDROP_CONCURRENCY") == 1


def test_a_mail_that_found_no_connection_has_had_no_attempt(site, make_mail):
    with Scripted(ONE_ALONE) as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_CONCURRENCY=5)
        ids = site.send(*[make_mail() for _ in range(10)])
        assert site.once() == 0
    found = [site.message(id) for id in ids]
    assert {each.state for each in found} == {State.SENT}
    assert {each.attempts for each in found} == {1}


def test_a_relay_that_lets_nobody_in_is_at_fault(site, make_mail):
    with Scripted({"GREETING": TOO_MANY}) as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_CONCURRENCY=5)
        site.send(*[make_mail() for _ in range(10)])
        assert site.once() == 1
    (fault,) = site.pauses
    assert "421 4.7.0 too many connections" in fault.fault
    assert "fewer than MAILDROP_CONCURRENCY" not in site.log


def test_a_refusal_for_good_is_reported_though_other_connections_are_in_use(
    site, make_mail
):
    answers = {"GREETING": ["220 relay.test", "554 5.7.1 not you"], "MAIL": Hang()}
    with Scripted(answers) as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_CONCURRENCY=5)
        site.send(*[make_mail() for _ in range(5)])
        with site.daemon():
            wait_until(lambda: site.pauses, what="the fault")
            relay.follow()
    assert "554 5.7.1 not you" in site.pauses[0].fault
