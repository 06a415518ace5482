"""What the database refuses for good harms nothing but itself."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

import pytest
from engine.delivery.permitting import permits
from engine.delivery.writing import settled, writes_to
from sqlalchemy import select
from waiting import PATIENCE_SECONDS

from collective.maildrophost.engine.delivery import journal
from collective.maildrophost.engine.delivery.finished import UNWRITABLE, Finished
from collective.maildrophost.engine.delivery.inflight import InFlight
from collective.maildrophost.engine.delivery.ledger import Ledger
from collective.maildrophost.engine.delivery.unsettled import Unsettled
from collective.maildrophost.engine.message import compose
from collective.maildrophost.engine.queue import (
    QueueError,
    Refused,
    State,
    claim,
    due,
    enqueue,
    get_message,
    tables,
)
from collective.maildrophost.engine.verdict import Outcome, Verdict

NOW = 1_800_000_000.0
SENT = Verdict(Outcome.SENT, "250 2.0.0 Ok")
# Replies that no TEXT column with NOT NULL takes, and no driver.
POISONS = [Verdict(Outcome.SENT, None), Verdict(Outcome.SENT, "250 \ud800")]


def claimed(queue, count):
    """So many messages in the hands of this daemon."""
    mail = compose(b"Subject: x\n\ny\n", "a@x.org", ["b@x.org"], now=NOW)
    with queue.write() as tx:
        enqueue(tx, [mail] * count, NOW)
        ids = [key for lane in due(tx, count, NOW).lanes.values() for key in lane]
        return claim(tx, "me", ids, 2e9)


def finished(claim, verdict):
    verdicts = ((0, verdict),)
    return Finished(claim, settled(claim, verdicts, NOW))


def settle_all(queue, *done, told=print):
    """What a ledger makes of them; what is written is `told`."""
    ledger = Ledger(writes_to(queue), "me", 10, permits(), 3600.0, told)
    ledger._in_flight = InFlight().with_more(each.claim for each in done)

    async def serve() -> None:
        running = asyncio.create_task(ledger.run())
        turns = [asyncio.create_task(ledger.turn(each)) for each in done]
        await asyncio.sleep(0)
        ledger.stop()
        await asyncio.wait_for(running, PATIENCE_SECONDS)
        assert await asyncio.gather(*turns) == [None] * len(done)

    asyncio.run(serve())
    assert ledger.in_flight == 0


def states(queue, claims):
    with queue.read() as tx:
        return [get_message(tx, str(each.id)).state for each in claims]


def test_what_was_not_tried_goes_back_and_a_suspect_behind_all_others(queue):
    tried, suspect, other = claimed(queue, 3)
    unsettled = Unsettled()
    unsettled.add(finished(tried, SENT))
    unsettled.add(Finished(suspect, None, suspect=True))
    unsettled.add(Finished(other, None))
    portion = unsettled.take()
    assert [each.id for each in portion.settlements] == [tried.id]
    assert portion.given_back(suspect=True) == [suspect.key]
    assert portion.given_back(suspect=False) == [other.key]


def test_once_what_was_refused_is_found_all_goes_together_again(queue):
    claims = claimed(queue, 3)
    unsettled = Unsettled()

    def hand_in():
        for each in claims:
            unsettled.add(finished(each, SENT))

    hand_in()
    unsettled.refused(unsettled.take(), Refused("queue", "never"))
    assert [len(unsettled.take()) for _ in claims] == [1, 1, 1]
    hand_in()
    assert len(unsettled.take()) == 3


@pytest.mark.parametrize("unwritable", POISONS, ids=["null", "surrogate"])
def test_a_verdict_that_cannot_be_written_keeps_no_other_from_the_disk(
    queue, unwritable, caplog
):
    claims = claimed(queue, 5)
    poison, *good = claims
    settle_all(
        queue, finished(poison, unwritable), *(finished(each, SENT) for each in good)
    )
    assert states(queue, claims) == [State.SENT] * 5
    with queue.read() as tx:
        (recipient,) = get_message(tx, str(poison.id)).recipients
        assert recipient.reply == UNWRITABLE
        (recipient,) = get_message(tx, str(good[0].id)).recipients
        assert recipient.reply == SENT.reply
    (told,) = caplog.messages
    assert told.startswith(f"id={poison.id}: ")
    assert told.endswith("; its verdicts go without the relay's words")


def test_a_warning_that_the_database_refuses_is_logged_and_may_come_later(
    queue, caplog
):
    (claim,) = claimed(queue, 1)
    letter = compose(b"Subject: late\n\ny\n", "", ["a@x.org"], now=NOW)
    done = finished(claim, Verdict(Outcome.DEFERRED, "450 4.2.0 later"))
    refused = replace(
        done.settlement,
        notifications=(replace(letter, subject="late \ud800"),),
        warned=True,
    )
    settle_all(queue, replace(done, settlement=refused))
    assert f"id={claim.id} notification for <a@x.org> is not written" in caplog.text
    with queue.read() as tx:
        warned = tx.scalar(select(tables.schedule.c.warned))
    # The sender has not been told: the next attempt is to do it.
    assert not warned
    assert states(queue, [claim]) == [State.DEFERRED]


def test_a_message_whose_verdict_can_be_written_in_no_way_stays_claimed(queue, caplog):
    claims = claimed(queue, 3)
    hopeless, *good = claims
    # The position of a recipient that the message does not have twice over.
    twice = ((0, SENT), (0, SENT))
    freed = []
    settle_all(
        queue,
        Finished(
            hopeless,
            settled(hopeless, twice, NOW),
            over=lambda: freed.append(hopeless.id),
        ),
        *(finished(each, SENT) for each in good),
    )
    assert states(queue, claims) == [State.SENDING, State.SENT, State.SENT]
    # Its connection goes on, and somebody is told.
    assert freed == [hopeless.id]
    (told,) = (each for each in caplog.records if each.levelname == "CRITICAL")
    assert told.getMessage().startswith(f"id={hopeless.id}: ")


def test_a_message_whose_record_is_damaged_keeps_no_other_verdict_from_the_disk(queue):
    claims = claimed(queue, 5)
    with queue.write() as tx:
        tx.exec_driver_sql(
            "UPDATE maildrop_schedule SET attempts = 'x' WHERE message_id = ?",
            (claims[2].id,),
        )
    settle_all(queue, *(finished(each, SENT) for each in claims))
    expected = [State.SENT] * 5
    expected[2] = State.SENDING
    assert states(queue, claims) == expected


def test_the_log_has_no_verdict_of_a_claim_that_another_daemon_has(queue, caplog):
    claims = claimed(queue, 3)
    lost, accepted, kept = claims
    with queue.write() as tx:
        for each in (lost, accepted):
            tx.exec_driver_sql(
                "UPDATE maildrop_schedule SET owner = 'another' WHERE message_id = ?",
                (each.id,),
            )
    later = Verdict(Outcome.DEFERRED, "450 4.2.0 later")
    letter = compose(b"Subject: late\n\ny\n", "", ["a@x.org"], now=NOW)
    deferred = finished(lost, later)
    told = []
    settle_all(
        queue,
        replace(
            deferred, settlement=replace(deferred.settlement, notifications=(letter,))
        ),
        finished(accepted, SENT),
        finished(kept, later),
        told=told.extend,
    )
    with caplog.at_level(logging.INFO):
        journal.write(told, NOW)
    assert [each.getMessage().partition(" to=")[0] for each in caplog.records] == [
        f"id={lost.id}: the claim was lost before its verdicts were written: 1 "
        "deferrals or failures are not recorded",
        f"id={accepted.id} sent",
        f"id={kept.id} deferred",
    ]


def test_the_log_tells_of_no_notification_that_a_late_acceptance_has_dropped(
    queue, caplog
):
    (one,) = claimed(queue, 1)
    with queue.write() as tx:
        tx.execute(tables.recipient.update().values(state="sent"))
    letter = compose(b"Subject: failed\n\ny\n", "", ["a@x.org"], now=NOW)
    failed = finished(one, Verdict(Outcome.FAILED, "550 5.1.1 no"))
    failed = replace(
        failed, settlement=replace(failed.settlement, notifications=(letter,))
    )
    told = []
    settle_all(queue, failed, told=told.extend)
    with caplog.at_level(logging.INFO):
        journal.write(told, NOW)
    assert [each.getMessage().partition(" to=")[0] for each in caplog.records] == [
        f"id={one.id} failed",
        f"id={one.id}: acceptances of an earlier attempt came late: it counts as "
        "sent, and nobody is told otherwise",
    ]


def test_what_could_not_be_written_goes_first_the_next_time():
    unsettled = Unsettled()
    unsettled.note(print)
    first = unsettled.take()
    unsettled.note(repr)
    unsettled.put_back(first)
    assert unsettled.take().notes == (print, repr)
    assert len(unsettled) == 0


def test_a_note_that_is_refused_is_dropped_alone_and_told(caplog):
    unsettled = Unsettled()
    unsettled.note(print)
    unsettled.note(repr)
    refused = Refused("queue", "no")
    assert unsettled.refused(unsettled.take(), refused) is None
    assert unsettled.refused(unsettled.take(), refused) is None
    assert unsettled.take().notes == (repr,)
    assert caplog.messages == [f"{refused}; what the relay did is not recorded"]


def test_only_errors_about_values_are_refusals(queue):
    with pytest.raises(Refused), queue.write() as tx:
        tx.exec_driver_sql("INSERT INTO maildrop_held_lane VALUES (NULL)")
    with pytest.raises(QueueError) as caught, queue.write() as tx:
        tx.exec_driver_sql("SELECT * FROM nowhere")
    assert not isinstance(caught.value, Refused)
