"""Mail goes through the daemon to the relay, each recipient with its own verdict."""

from __future__ import annotations

import itertools
import re

from servers.catcher import Catcher
from servers.scripted import Scripted
from waiting import wait_until

from collective.maildrophost.engine.message import Lane
from collective.maildrophost.engine.queue import State, attempts, content


def test_queued_mail_arrives_as_it_was_queued(site, make_mail):
    message = make_mail("b@example.org", "c@example.org", body=".dot\nüml\n")
    with Catcher() as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon():
            (id,) = site.send(message)
            (caught,) = relay.wait_for(1)
            site.wait_for(id, State.SENT)
    assert caught.sender == "a@example.org"
    assert caught.recipients == ("b@example.org", "c@example.org")
    assert caught.content == message.content.replace(b"\n", b"\r\n")
    assert message.message_id.encode() in caught.content


def test_of_sent_mail_only_the_record_stays(site):
    with Catcher() as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon():
            (id,) = site.send()
            record = site.wait_for(id, State.SENT)
    assert record.recipients[0].reply.startswith("250 ")
    with site.queue.read() as tx:
        assert content(tx, id) is None
        (attempt,) = attempts(tx, id)
    assert attempt.relay == f"127.0.0.1:{relay.port}"
    assert attempt.outcome == "sent"


def test_mail_goes_over_verified_starttls_with_a_login(site):
    with Catcher(tls="required", login=("user", "sesame-7")) as relay:
        site.configure(
            SMTP_PORT=relay.port,
            MAILDROP_TLS=2,
            MAILDROP_TLS_CA_FILE=relay.ca_file,
            MAILDROP_LOGIN="user",
            MAILDROP_PASSWORD="sesame-7",
        )
        with site.daemon():
            site.send()
            (caught,) = relay.wait_for(1)
    assert (caught.tls, caught.login) == (True, "user")
    assert "sesame-7" not in site.log


def test_mail_goes_over_tls_from_the_first_byte(site):
    with Catcher(tls="implicit") as relay:
        site.configure(
            SMTP_PORT=relay.port, MAILDROP_TLS=3, MAILDROP_TLS_CA_FILE=relay.ca_file
        )
        with site.daemon():
            site.send()
            assert relay.wait_for(1)[0].tls


def test_a_certificate_nobody_trusts_pauses_the_relay(site):
    with Catcher(tls="required") as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_TLS=2)
        with site.daemon():
            (id,) = site.send()
            (paused,) = wait_until(lambda: site.pauses, what="the relay's pause")
            assert "certificate" in paused.fault
        assert relay.messages == []
    assert site.message(id).attempts == 0


def test_a_refused_recipient_does_not_stop_the_other(site, make_mail):
    with Scripted({"RCPT:no@example.org": "550 5.1.1 nobody here"}) as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_BOUNCE=0)
        with site.daemon():
            (id,) = site.send(make_mail("no@example.org", "yes@example.org"))
            record = site.wait_for(id, State.FAILED)
    assert [each.state.value for each in record.recipients] == ["failed", "sent"]
    assert record.recipients[0].reply == "550 5.1.1 nobody here"
    assert [each.recipients for each in relay.accepted] == [["yes@example.org"]]


def test_every_attempt_has_its_log_line_for_each_recipient(site, make_mail):
    answers = {
        "RCPT:no@example.org": "550 5.1.1 nobody here",
        "RCPT:later@example.org": ["450 4.2.0 greylisted", "250 2.1.5 ok"],
    }
    with Scripted(answers) as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon():
            (id,) = site.send(
                make_mail("no@example.org", "later@example.org", "yes@example.org")
            )
            site.wait_for(id, State.FAILED)
            wait_until(lambda: site.log_lines(" attempt=2 "), what="the last log line")
    found = re.findall(rf" id={id} (\w+) to=<(\S+)> .* attempt=(\d) .*", site.log)
    assert found == [
        ("failed", "no@example.org", "1"),
        ("deferred", "later@example.org", "1"),
        ("sent", "yes@example.org", "1"),
        ("sent", "later@example.org", "2"),
    ]


def test_a_deferred_recipient_alone_is_tried_again_with_growing_waits(site, make_mail):
    answers = {"RCPT:b@example.org": ["450 4.2.0 later"] * 3 + ["250 2.1.5 ok"]}
    with Scripted(answers) as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon():
            (id,) = site.send(make_mail("b@example.org", "c@example.org"))
            record = site.wait_for(id, State.SENT)
    assert [each.attempts for each in record.recipients] == [4, 1]
    accepted = [each.recipients for each in relay.accepted]
    assert accepted == [["c@example.org"], ["b@example.org"]]
    with site.queue.read() as tx:
        times = [each.time for each in attempts(tx, id) if each.address[0] == "b"]
    waits = [after - before for before, after in itertools.pairwise(times)]
    assert all(
        wait >= least for wait, least in zip(waits, (0.2, 0.4, 0.8), strict=True)
    )


def test_mail_fails_when_its_lifetime_is_over(site):
    with Scripted({"MAIL": "451 4.3.0 never"}) as relay:
        site.configure(SMTP_PORT=relay.port, MAILDROP_LIFETIME=3600)
        with site.daemon():
            (id,) = site.send()
            site.wait_for(id, State.DEFERRED)
            site.grow_old(3600)
            record = site.wait_for(id, State.FAILED)
    assert record.attempts >= 2
    assert record.recipients[0].reply.startswith("given up after")
    assert record.recipients[0].reply.endswith("451 4.3.0 never")


def test_a_long_queue_is_sent_without_pauses_in_every_lane(site, make_mail):
    lanes = (Lane.NORMAL, Lane.BULK, Lane.INTERACTIVE)
    messages = [make_mail(lane=lane) for lane in lanes for _ in range(30)]
    with Catcher() as relay:
        site.configure(SMTP_PORT=relay.port)
        with site.daemon():
            site.send(*messages)
            relay.wait_for(len(messages))


def test_with_a_debug_receiver_all_mail_goes_there(site, make_mail):
    with Catcher() as relay:
        site.configure(SMTP_PORT=relay.port, DEBUG_RECEIVER="dev@example.org")
        with site.daemon():
            (id,) = site.send(make_mail("b@example.org", "c@example.org"))
            (caught,) = relay.wait_for(1)
            record = site.wait_for(id, State.SENT)
    assert caught.recipients == ("dev@example.org",)
    assert [each.state.value for each in record.recipients] == ["sent", "sent"]
