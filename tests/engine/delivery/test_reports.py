"""The form of a notification (RFC 3464), whatever it is made of."""

from __future__ import annotations

from dataclasses import replace
from email.utils import parsedate_to_datetime

import pytest
from engine.delivery.reports import (
    HOST,
    NO,
    NOTIFY,
    NOW,
    deferred,
    failed,
    fields,
    notification,
    parsed,
    parts,
)
from hypothesis import given
from hypothesis import strategies as st

from collective.maildrophost.engine.delivery.judge import settlement
from collective.maildrophost.engine.delivery.notifications import NotificationPolicy
from collective.maildrophost.engine.delivery.retry import RetryPolicy


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
    assert top["MIME-Version"] == "1.0"
    made = [
        (part.get_content_type(), part["Content-Transfer-Encoding"])
        for part in top.iter_parts()
    ]
    assert made == [
        ("text/plain", "7bit"),
        ("message/delivery-status", None),
        ("text/rfc822-headers", "7bit"),
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


def test_words_that_can_travel_as_they_are_are_not_encoded(claimed):
    said = "550 5.1.1 see https://x.org/?who=b"
    words, *_ = parsed(notification(claimed("b@x.org"), failed(said))).iter_parts()
    assert said in words.get_payload()


def test_a_header_that_is_too_long_to_travel_comes_back_whole(claimed):
    content = b"X-Long: " + b"x" * 1200 + b"\n\nbody\n"
    message = notification(claimed("b@x.org", content=content), NO)
    assert max(map(len, message.content.split(b"\n"))) <= 998
    *_, headers = parsed(message).iter_parts()
    assert headers.get_payload(decode=True) == content.partition(b"\n\n")[0] + b"\n"


def test_the_subject_is_told_wherever_it_stands(claimed):
    content = b"Auto-Submitted: no\nSubject: hello there\n\nbody\n"
    words, _, _ = parts(notification(claimed("b@x.org", content=content), NO))
    assert "Subject: hello there\n" in words


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


def test_short_lines_of_the_headers_are_returned_as_they_stand(claimed):
    headers = b"From : a@x.org\n" + b"X-Hop: one of many\n" * 60
    claim = claimed("b@x.org", content=headers + b"\nbody\n")
    assert b"7bit\n\n" + headers in notification(claim, NO).content


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


@given(moment=st.floats(0, 1e12), lifetime=st.floats(0.001, 1e15))
def test_no_time_is_too_far_away_to_be_written(claimed, moment, lifetime):
    claim = claimed("b@x.org", since=moment, created=moment)
    late = RetryPolicy(1.0, 2.0, lifetime)
    now = moment + 15000
    settlement(claim, "r:25", [deferred("450 x")], False, late, NOTIFY, now, 0.0)
