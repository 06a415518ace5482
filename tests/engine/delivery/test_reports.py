"""The form of a notification (RFC 3464), whatever it is made of."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes, policy
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collective.maildrophost.engine.delivery.judge import settlement
from collective.maildrophost.engine.delivery.notifications import (
    NotificationPolicy,
    relay_fault_lasts,
    relay_works_again,
)
from collective.maildrophost.engine.delivery.retry import RetryPolicy
from collective.maildrophost.engine.message import Lane
from collective.maildrophost.engine.queue import RelayPause
from collective.maildrophost.engine.verdict import Outcome, Verdict

NOW = 1_800_000_000.0
HOST = "mail.x.org"
RETRY = RetryPolicy(60.0, 4000.0, 432000.0)
NOTIFY = NotificationPolicy(HOST, True, 14400.0, "postmaster@x.org")


def failed(reply):
    return Verdict(Outcome.FAILED, reply)


def deferred(reply):
    return Verdict(Outcome.DEFERRED, reply)


NO = failed("550 5.1.1 nobody here")


def notification(claim, *verdicts, relay="r.x.org:25", age=0.0):
    now = claim.since + age
    judged = settlement(claim, relay, verdicts, False, RETRY, NOTIFY, now, 0.0)
    (found,) = judged.notifications
    return found


def parsed(message):
    return message_from_bytes(message.content, policy=policy.default)


def parts(message):
    words, status, headers = parsed(message).iter_parts()
    return words.get_content(), status.get_payload(), headers.get_content()


def fields(message, number=1):
    """The fields of a recipient (0: of the message) in its delivery status."""
    return dict(parts(message)[1][number].items())


def test_a_failure_has_the_headers_of_an_automatic_answer(claimed):
    message = notification(claimed("b@x.org"), NO)
    top = parsed(message)
    assert top["From"] == f"Mail Delivery System <MAILER-DAEMON@{HOST}>"
    assert top["To"] == "a@x.org"
    assert top["Auto-Submitted"] == "auto-replied"
    assert top["In-Reply-To"] == top["References"] == "<1@x.org>"
    assert top["Message-Id"] == message.message_id
    assert top["Subject"] == message.subject
    assert parsedate_to_datetime(top["Date"]).timestamp() == NOW
    assert top.get_content_type() == "multipart/report"
    assert top.get_param("report-type") == "delivery-status"
    assert [part.get_content_type() for part in top.iter_parts()] == [
        "text/plain",
        "message/delivery-status",
        "text/rfc822-headers",
    ]
    assert not top.defects


def test_a_failure_has_the_fields_of_its_message_and_recipient(claimed):
    claim = claimed("b@x.org", created=NOW - 60)
    message = notification(claim, NO)
    assert fields(message, 0) == {
        "Reporting-MTA": f"dns; {HOST}",
        "X-Maildrop-Queue-Id": "7",
        "Arrival-Date": "Fri, 15 Jan 2027 07:59:00 +0000",
    }
    assert fields(message) == {
        "Final-Recipient": "rfc822; b@x.org",
        "Action": "failed",
        "Status": "5.1.1",
        "Remote-MTA": "dns; r.x.org",
        "Diagnostic-Code": "smtp; 550 5.1.1 nobody here",
        "Last-Attempt-Date": "Fri, 15 Jan 2027 08:00:00 +0000",
    }


def test_each_recipient_has_a_block_of_its_own(claimed):
    message = notification(claimed("b@x.org", "c@x.org"), NO, failed("554 5.7.1 spam"))
    found = [fields(message, number) for number in (1, 2)]
    assert [each["Status"] for each in found] == ["5.1.1", "5.7.1"]
    assert found[1]["Final-Recipient"] == "rfc822; c@x.org"


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        ("550 5.1.1 no", "5.1.1"),
        ("550 no", "5.0.0"),
        ("550", "5.0.0"),
        ("550 4.2.2 full", "5.0.0"),  # the reply code wins
        ("550 5.1.1x", "5.0.0"),
        ("5.3.4 the message is too large", "5.3.4"),
        ("internal error", "5.0.0"),
    ],
)
def test_the_status_agrees_with_the_verdict(claimed, reply, status):
    message = notification(claimed("b@x.org"), failed(reply))
    assert fields(message)["Status"] == status


@pytest.mark.parametrize("relay", ["-", "r.x.org:25"])
def test_words_that_no_relay_said_are_no_diagnostic_code(claimed, relay):
    refused = failed("5.6.7 needs SMTPUTF8")
    found = notification(claimed("b@x.org"), refused, relay=relay)
    assert "Diagnostic-Code" not in fields(found)
    assert ("Remote-MTA" in fields(found)) == (relay != "-")
    assert "5.6.7 needs SMTPUTF8" in parts(found)[0]
    assert "said by" not in parts(found)[0]


@pytest.mark.parametrize(
    ("relay", "name"),
    [
        ("r.x.org:587", "dns; r.x.org"),
        ("192.0.2.7:25", "dns; [192.0.2.7]"),
        ("[2001:db8::1]:25", "dns; [IPv6:2001:db8::1]"),
    ],
)
def test_the_relay_is_named_without_its_port(claimed, relay, name):
    message = notification(claimed("b@x.org"), NO, relay=relay)
    assert fields(message)["Remote-MTA"] == name


def test_a_lifetime_that_is_over_says_so_with_the_last_reply(claimed):
    message = notification(claimed("b@x.org"), deferred("450 4.2.0 later"), age=432000)
    found = fields(message)
    assert (found["Action"], found["Status"]) == ("failed", "4.4.7")
    assert found["Diagnostic-Code"] == "smtp; 450 4.2.0 later"
    assert "Will-Retry-Until" not in found
    assert "given up after 5.0 days, at last: 450 4.2.0 later" in parts(message)[0]


def test_a_delay_says_until_when_it_is_tried(claimed):
    message = notification(claimed("b@x.org"), deferred("450 4.2.0 later"), age=14400)
    found = fields(message)
    assert (found["Action"], found["Status"]) == ("delayed", "4.2.0")
    until = parsedate_to_datetime(found["Will-Retry-Until"]).timestamp()
    assert until == NOW + 432000
    assert found["Will-Retry-Until"] in parts(message)[0]


def test_the_words_name_who_failed_why_and_what_mail_it_was(claimed):
    content = b"Subject: =?utf-8?q?gr=C3=BCn?=\n\nbody\n"
    claim = claimed("b@x.org", content=content)
    words, _, _ = parts(notification(claim, failed("550 für niemand")))
    assert "<b@x.org>\n    550 für niemand\n    (said by r.x.org)\n" in words
    assert "Subject: grün" in words


def test_the_headers_of_the_original_come_back_but_not_its_body(claimed):
    message = notification(claimed("b@x.org"), NO)
    headers = parts(message)[2]
    assert headers == "From: a@x.org\nSubject: hello\nMessage-Id: <1@x.org>\n"
    assert b"the body" not in message.content


def test_octets_in_the_original_headers_go_as_seven_bits(claimed):
    content = "Subject: grün\r\nX: \r \0\r\n\r\nbody\r\n".encode() + b"\xff"
    message = notification(claimed("b@x.org", content=content), NO)
    assert message.content.isascii()
    *_, headers = parsed(message).iter_parts()
    assert headers.get_payload(decode=True) == "Subject: grün\nX: ? \0\n".encode()


def test_a_nul_in_the_headers_does_not_travel(claimed):
    message = notification(claimed("b@x.org", content=b"Subject: a\0b\n\nbody\n"), NO)
    assert b"\0" not in message.content


def test_enormous_headers_are_cut_after_a_line(claimed):
    content = b"X-Filler: some\n" * 100_000 + b"\nbody\n"
    message = notification(claimed("b@x.org", content=content), NO)
    assert len(message.content) < 70_000
    assert set(parts(message)[2].splitlines()) == {"X-Filler: some"}


def test_an_address_beyond_ascii_has_the_form_of_rfc_6533(claimed):
    message = notification(claimed("jürgen+x@bücher.example"), NO)
    assert fields(message)["Final-Recipient"] == (
        "utf-8; j\\x{FC}rgen\\x{2B}x@b\\x{FC}cher.example"
    )
    assert message.content.isascii()


def test_a_sender_beyond_ascii_is_written_as_it_is(claimed):
    message = notification(claimed("b@x.org", sender="jürgen@x.org"), NO)
    assert "\nTo: <jürgen@x.org>\n".encode() in message.content
    assert message.recipients == ("jürgen@x.org",)


@pytest.mark.parametrize("header_id", ["", "no id", "<a b@x>", "<ü@x>", "<a@x> <b@x>"])
def test_a_message_id_that_is_none_is_not_referred_to(claimed, header_id):
    top = parsed(notification(claimed("b@x.org", header_id=header_id), NO))
    assert "In-Reply-To" not in top
    assert "References" not in top


def test_two_attempts_at_one_message_have_two_message_ids(claimed):
    claim = claimed("b@x.org")
    first, second = notification(claim, NO), notification(claim, NO, age=1.0)
    assert first.message_id != second.message_id
    # As two daemons at the same moment.
    another = notification(replace(claim, owner="another"), NO)
    assert first.message_id != another.message_id


@pytest.mark.parametrize("host", ["mail.x.org", "box", "a-b_c.x"])
def test_the_name_of_the_machine_is_used_as_it_is(configured, host):
    assert NotificationPolicy.of(configured, host).host == host


@pytest.mark.parametrize("host", ["", "büro", "a b", "x>\nBcc: c@x.org", "-a", "a."])
def test_a_name_that_is_none_in_mail_is_not_used(configured, host):
    assert NotificationPolicy.of(configured, host).host == "localhost"


@pytest.fixture
def configured(tmp_path):
    from collective.maildrophost.engine.config import load

    path = tmp_path / "maildrop.conf"
    path.write_text(f"MAILDROP_HOME='{tmp_path}'\n")
    return load(path, {})


# Everything that strangers write, with what could end a line, a part or a field.
hostile = st.lists(
    st.one_of(
        st.characters(),
        st.sampled_from("\r\n\0\t -=:;<>@?\\\x85\u2028"),
        st.sampled_from(["\nBcc: c@x.org", "\r\n\r\n", "\nStatus: 2.0.0", "X" * 450]),
    ),
    max_size=50,
).map("".join)
tokens = b"Subject: |Auto-Submitted: no|\r|\n|\r\n| |--|=|\0|\xff|: |\n\n".split(b"|")
hostile_octets = st.one_of(
    st.binary(max_size=500),
    st.lists(st.sampled_from([*tokens, b"X" * 1200]), max_size=40).map(b"".join),
)
FIELDS_OF_A_FAILURE = {
    "Final-Recipient",
    "Action",
    "Status",
    "Remote-MTA",
    "Diagnostic-Code",
    "Last-Attempt-Date",
}
TOP_OF_A_FAILURE = {
    "Content-Type",
    "From",
    "To",
    "Subject",
    "Date",
    "Message-Id",
    "In-Reply-To",
    "References",
    "Auto-Submitted",
    "MIME-Version",
}


@given(
    reply=hostile,
    # No address in the queue is longer than 254 octets.
    sender=hostile.map(lambda text: text[:60]).filter(bool),
    address=hostile,
    header_id=hostile,
    content=hostile_octets,
    relay=hostile,
)
def test_nothing_that_strangers_wrote_becomes_a_field_or_a_part(
    claimed, reply, sender, address, header_id, content, relay
):
    claim = claimed(address, sender=sender, header_id=header_id, content=content)
    judged = settlement(
        claim,
        relay + ":25",
        [failed("550 5.0.0 " + reply)],
        False,
        RETRY,
        NOTIFY,
        NOW,
        0.0,
    )
    for message in judged.notifications:  # none where the content looks automatic
        assert message.content.isascii() or not sender.isascii()
        assert max(map(len, message.content.split(b"\n"))) <= 998
        assert b"\r" not in message.content
        top = parsed(message)
        assert set(top.keys()) <= TOP_OF_A_FAILURE
        assert len(top.keys()) == len(set(top.keys()))
        _, status, headers = top.iter_parts()
        assert headers.get_content_type() == "text/rfc822-headers"
        about_message, about_recipient = status.get_payload()
        assert len(about_message) == 3
        assert set(about_recipient.keys()) <= FIELDS_OF_A_FAILURE
        assert about_recipient["Status"] == "5.0.0"
        assert about_recipient["Action"] == "failed"


@given(name=hostile, fault=hostile)
def test_nothing_that_a_relay_said_becomes_a_header_of_a_letter(name, fault):
    paused = RelayPause(name, fault, NOW - 1000, NOW + 60, 9, told=True)
    for write in (relay_fault_lasts, relay_works_again):
        message = write(paused, NOTIFY, "owner", NOW)
        top = parsed(message)
        assert message.content.isascii()
        assert top["To"] == "postmaster@x.org"
        assert top["Auto-Submitted"] == "auto-generated"
        assert len(top.keys()) == 9
        assert (message.sender, message.lane) == ("", Lane.INTERACTIVE)


@given(moment=st.floats(0, 1e12), lifetime=st.floats(0.001, 1e15))
def test_no_time_is_too_far_away_to_be_written(claimed, moment, lifetime):
    claim = claimed("b@x.org", since=moment, created=moment)
    late = RetryPolicy(1.0, 2.0, lifetime)
    now = moment + 15000
    settlement(claim, "r:25", [deferred("450 x")], False, late, NOTIFY, now, 0.0)
