"""Who is told of a failure or a delay, and who must not be."""

from __future__ import annotations

import pytest

from collective.maildrophost.engine.delivery.judge import settlement
from collective.maildrophost.engine.delivery.notifications import NotificationPolicy
from collective.maildrophost.engine.delivery.retry import RetryPolicy
from collective.maildrophost.engine.message import Lane
from collective.maildrophost.engine.queue import OpenRecipient
from collective.maildrophost.engine.verdict import Outcome, Verdict

NOW = 1_800_000_000.0
WARN_AFTER = 14400.0
LIFETIME = 432000.0
RETRY = RetryPolicy(60.0, 4000.0, LIFETIME)
NOTIFY = NotificationPolicy("mail.x.org", True, WARN_AFTER, "postmaster@x.org")

SENT = Verdict(Outcome.SENT, "250 2.0.0 Ok")
LATER = Verdict(Outcome.DEFERRED, "450 4.2.0 later")
NO = Verdict(Outcome.FAILED, "550 5.1.1 no")


def judge(claim, *verdicts, notify=NOTIFY, now=NOW):
    return settlement(claim, "r.x.org:25", verdicts, False, RETRY, notify, now, 0.0)


def told(claim, *verdicts, **given):
    """(to, subject) of each notification that the attempt brings."""
    found = judge(claim, *verdicts, **given).notifications
    return [(each.recipients[0], each.subject) for each in found]


FAILURE = ("a@x.org", "Your mail could not be delivered")
WARNING = ("a@x.org", "Your mail is delayed")
TO_POSTMASTER = ("postmaster@x.org", "Mail without a sender could not be delivered")


def test_the_sender_is_told_once_of_all_who_failed_in_an_attempt(claimed):
    claim = claimed("b@x.org", "c@x.org", "d@x.org", "e@x.org")
    (notification,) = judge(claim, NO, SENT, LATER, NO).notifications
    assert (notification.sender, notification.recipients) == ("", ("a@x.org",))
    assert notification.lane is Lane.NORMAL
    text = notification.content
    assert b"<b@x.org>" in text
    assert b"<e@x.org>" in text
    assert b"c@x.org" not in text
    assert b"d@x.org" not in text


def test_nothing_is_told_of_what_went_well_or_was_not_tried(claimed):
    assert told(claimed("b@x.org", "c@x.org"), SENT, None) == []


def test_the_end_of_the_lifetime_is_told_once_for_all_who_are_left(claimed):
    claim = claimed("b@x.org", "c@x.org", warned=True)
    assert told(claim, LATER, LATER, now=NOW + LIFETIME) == [FAILURE]


def test_without_maildrop_bounce_no_failure_is_told(claimed):
    quiet = NotificationPolicy("h", False, WARN_AFTER, "postmaster@x.org")
    assert told(claimed("b@x.org"), NO, notify=quiet) == []
    # The warnings have an option of their own.
    late = NOW + WARN_AFTER
    assert told(claimed("b@x.org"), LATER, notify=quiet, now=late) == [WARNING]


@pytest.mark.parametrize("sender", ["a@x.org", ""])
@pytest.mark.parametrize("verdict", [NO, LATER])
def test_a_silent_policy_tells_nobody(claimed, sender, verdict):
    claim = claimed("b@x.org", sender=sender)
    assert told(claim, verdict, notify=NOTIFY.silent(), now=NOW + WARN_AFTER) == []


AUTO = "Auto-Submitted: {}\nSubject: hello\n\nbody\n"


@pytest.mark.parametrize(
    "value",
    [
        "auto-replied",
        "Auto-Generated",
        " auto-notified; why=x",
        "no-such-word",
        "(c) no",
    ],
)
def test_automatic_mail_is_never_answered(claimed, value):
    claim = claimed("b@x.org", content=AUTO.format(value).encode())
    assert told(claim, NO) == told(claim, LATER, now=NOW + WARN_AFTER) == []


@pytest.mark.parametrize("value", ["no", " NO", "no; x=y", "no (a person)"])
def test_mail_that_says_it_is_not_automatic_is_answered(claimed, value):
    claim = claimed("b@x.org", content=AUTO.format(value).encode())
    assert told(claim, NO) == [FAILURE]


def test_words_of_the_body_do_not_make_mail_automatic(claimed):
    content = b"Subject: hello\n\nAuto-Submitted: auto-replied\n"
    assert told(claimed("b@x.org", content=content), NO) == [FAILURE]


def test_any_automatic_header_counts_however_many_there_are(claimed):
    content = b"Auto-Submitted: no\nauto-submitted:\r\n auto-replied\r\n\r\nbody\n"
    assert told(claimed("b@x.org", content=content), NO) == []


def test_a_failed_notification_goes_to_the_postmaster(claimed):
    claim = claimed("a@x.org", sender="", content=AUTO.format("auto-replied").encode())
    assert told(claim, NO) == [TO_POSTMASTER]
    (letter,) = judge(claim, NO).notifications
    assert (letter.sender, letter.lane) == ("", Lane.INTERACTIVE)
    assert b"'maildropctl show 7'" in letter.content


def test_the_postmaster_is_told_whatever_maildrop_bounce_says(claimed):
    quiet = NotificationPolicy("h", False, 0.0, "postmaster@x.org")
    assert told(claimed("b@x.org", sender=""), NO, notify=quiet) == [TO_POSTMASTER]


def test_without_a_postmaster_nobody_is_told_of_a_failed_notification(claimed):
    nobody = NotificationPolicy("h", True, WARN_AFTER, "")
    assert told(claimed("b@x.org", sender=""), NO, notify=nobody) == []


@pytest.mark.parametrize("address", ["postmaster@x.org", "postmaster@X.Org"])
def test_nobody_is_told_of_what_the_postmaster_cannot_get(claimed, address):
    assert told(claimed(address, sender=""), NO) == []


def test_the_postmaster_is_told_of_others_who_failed_as_well(claimed):
    claim = claimed("postmaster@x.org", "b@x.org", sender="")
    assert told(claim, NO, NO) == [TO_POSTMASTER]
    assert told(claim, NO, SENT) == []


def test_a_delay_is_told_when_it_has_lasted(claimed):
    claim = claimed("b@x.org", "c@x.org")
    early, late = (judge(claim, LATER, SENT, now=NOW + age) for age in (14399, 14400))
    assert (early.notifications, early.warned) == ((), False)
    (warning,) = late.notifications
    assert late.warned
    assert (warning.sender, warning.lane) == ("", Lane.NORMAL)
    assert (warning.recipients[0], warning.subject) == WARNING
    assert b"<b@x.org>" in warning.content
    assert b"c@x.org" not in warning.content


def test_a_delay_is_told_once(claimed):
    judged = judge(claimed("b@x.org", warned=True), LATER, now=NOW + 2 * WARN_AFTER)
    assert (judged.notifications, judged.warned) == ((), False)


def test_a_delay_is_told_of_all_when_the_last_of_them_was_tried(claimed):
    late = NOW + WARN_AFTER
    first = judge(claimed("b@x.org", "c@x.org"), LATER, None, now=late)
    assert (first.notifications, first.warned) == ((), False)
    before = OpenRecipient(0, "b@x.org", 1, "450 4.2.1 greylisted")
    for verdict, named in ((LATER, True), (SENT, False)):
        last = judge(claimed("c@x.org", deferred=(before,)), verdict, now=late)
        (warning,) = last.notifications
        assert last.warned
        assert b"<b@x.org>\n    450 4.2.1 greylisted\n" in warning.content
        assert (b"<c@x.org>" in warning.content) is named


def test_a_delay_counts_from_the_last_retry_by_hand(claimed):
    claim = claimed("b@x.org", created=NOW - 10 * WARN_AFTER)
    assert told(claim, LATER) == []


def test_nobody_is_warned_without_maildrop_warn_after(claimed):
    never = NotificationPolicy("h", True, 0.0, "")
    late = NOW + LIFETIME - 1
    assert told(claimed("b@x.org"), LATER, notify=never, now=late) == []


def test_a_late_newsletter_warns_nobody_but_its_failures_are_told(claimed):
    claim = claimed("b@x.org", lane=Lane.BULK)
    assert told(claim, LATER, now=NOW + WARN_AFTER) == []
    assert told(claim, NO) == [FAILURE]


def test_the_null_sender_is_never_warned(claimed):
    assert told(claimed("b@x.org", sender=""), LATER, now=NOW + WARN_AFTER) == []


def test_failures_and_delays_are_told_in_letters_of_their_own(claimed):
    claim = claimed("b@x.org", "c@x.org")
    assert told(claim, NO, LATER, now=NOW + WARN_AFTER) == [FAILURE, WARNING]


def test_the_postmaster_hears_of_a_relay_no_later_than_senders_of_a_delay():
    def lasts(warn_after):
        return NotificationPolicy("h", True, warn_after, "p").tell_of_relay_after

    assert (lasts(14400.0), lasts(60.0), lasts(0.0)) == (900.0, 60.0, 900.0)
