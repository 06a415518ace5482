"""`retry`, `hold`, `release`, `delete`: all that can be done is done."""

from __future__ import annotations

import json
import time

import pytest
from servers.catcher import Catcher

from collective.maildrophost.engine import crowd
from collective.maildrophost.engine.queue import (
    Batch,
    Queue,
    get_message,
    remember_batch,
)
from collective.maildrophost.engine.system.identity import own_identity


def test_held_messages_wait_until_they_are_released(site):
    id = site.send()
    assert site.ctl("hold", id).out == "1 message held\n"
    assert site.state_of(id) == "held"
    assert site.ctl("release", id).out == "1 message released\n"
    assert site.state_of(id) == "queued"


def test_where_there_is_no_queue_nothing_is_done_and_none_is_made(site):
    for action in ("retry", "hold", "release", "delete"):
        ended = site.ctl(action, "1")
        assert (ended.status, ended.out[:10]) == (1, "0 messages")
        assert "1: there is no such message" in ended.err
        assert site.ctl(action, "--all", *["--yes"][: action == "delete"]).status == 0
    assert not (site.home / "queue.db").exists()


def test_where_there_is_no_queue_no_lane_is_held(site):
    ended = site.ctl("release", "--lane", "bulk")
    assert (ended.status, ended.out) == (0, "lane bulk was not held\n")
    assert not (site.home / "queue.db").exists()


def test_a_lane_may_be_held_before_the_first_start(site):
    assert site.ctl("hold", "--lane", "bulk").out == "lane bulk held\n"
    assert site.ctl("stats", "--json").json["held_lanes"] == ["bulk"]


def test_a_deleted_message_is_gone(site):
    one, other = site.send(), site.send()
    assert site.ctl("delete", one).status == 0
    assert site.ctl("show", one).status == 1
    assert site.ctl("show", other).status == 0


def test_an_unknown_id_is_named_and_the_others_are_done(site):
    one, other = site.send(), site.send()
    ended = site.ctl("hold", one, "77", "abc", other)
    assert ended.status == 1
    assert ended.out == "2 messages held\n"
    assert "77: there is no such message" in ended.err
    assert "abc: there is no such message" in ended.err
    assert (site.state_of(one), site.state_of(other)) == ("held", "held")


def test_a_message_in_another_state_is_left_alone_with_the_reason(site):
    id = site.send()
    site.ctl("hold", id)
    ended = site.ctl("retry", id)
    assert ended.status == 1
    assert f"message {id}: is held" in ended.err


def test_what_is_so_already_is_reported_and_no_failure(site):
    id = site.send()
    for action, said in {
        "retry": "is due already",
        "release": "was not held",
        "hold": "",
    }.items():
        ended = site.ctl(action, id)
        assert ended.status == 0
        assert said in ended.out
    ended = site.ctl("hold", id)
    assert (ended.status, ended.err) == (0, "")
    assert ended.out == f"0 messages held\nmessage {id} was held already\n"


def test_the_record_of_sent_mail_is_deleted_only_when_its_state_is_named(site):
    with Catcher() as relay:
        site.configure(SMTP_PORT=relay.port)
        sent = site.send()
        site.ctl("run", "--once")
    waits = site.send()
    assert site.ctl("delete", "--all", "--yes").out == "1 message deleted\n"
    assert site.ctl("show", waits).status == 1
    assert site.state_of(sent) == "sent"
    ended = site.ctl("delete", "--all", "--state", "sent", "--yes")
    assert ended.out == "1 message deleted\n"


def test_all_means_all_of_a_state(site):
    held, queued = site.send(), site.send()
    site.ctl("hold", held)
    ended = site.ctl("delete", "--all", "--state", "held", "--yes")
    assert (ended.status, ended.out) == (0, "1 message deleted\n")
    assert site.state_of(queued) == "queued"
    assert site.ctl("hold", "--all").out == "1 message held\n"


def test_all_are_done_in_transactions_of_a_bounded_size(site, inside, monkeypatch):
    ids = [site.send() for _ in range(5)]
    monkeypatch.setattr(crowd, "AT_ONCE", 2)
    begun, write = [], Queue.write

    def counted(queue):
        begun.append(queue)
        return write(queue)

    monkeypatch.setattr(Queue, "write", counted)
    ended = inside("--config", str(site.path), "hold", "--all", "--json")
    assert json.loads(ended.out)["changed"] == ids
    assert len(begun) == 3


def test_an_action_on_all_succeeds_where_there_are_none(site):
    ended = site.ctl("retry", "--all", "--state", "failed")
    assert (ended.status, ended.out) == (0, "0 messages tried again at once\n")


@pytest.mark.parametrize("answers", [b"", b"perhaps\n"])
def test_delete_all_wants_a_yes_where_nobody_answers_it(answers, site):
    id = site.send()
    ended = site.ctl("delete", "--all", stdin=answers)
    assert ended.status == 2
    assert "--yes" in ended.err
    assert site.state_of(id) == "queued"


@pytest.mark.parametrize(("answer", "left"), [(b"y\n", 0), (b"n\n", 1)])
def test_delete_all_heeds_an_answer_that_comes_through_a_pipe(answer, left, site):
    site.send()
    assert site.ctl("delete", "--all", stdin=answer).status == left
    assert len(site.ctl("queue", "--json").json) == left


def test_delete_all_with_a_closed_standard_input_wants_a_yes(site):
    id = site.send()
    ended = site.ctl_without_input("delete", "--all")
    assert ended.status == 2, ended.err
    assert ended.err.endswith("delete --all needs --yes where it cannot ask\n")
    assert site.state_of(id) == "queued"


def test_nobody_is_asked_about_a_command_that_makes_no_sense(site):
    id = site.send()
    ended = site.ctl("delete", id, "--all")
    assert ended.status == 2
    assert "either ids or --all" in ended.err


def test_a_prepared_message_is_released_by_its_id(site):
    one, other = site.prepare("one", "other")
    assert site.ctl("release", one).status == 0
    assert site.state_of(one) == "queued"
    assert site.state_of(other) == "prepared"


def test_an_action_on_all_leaves_prepared_messages_alone(site):
    (id,) = site.prepare("one")
    site.ctl("release", "--all")
    site.ctl("delete", "--all", "--yes")
    assert site.state_of(id) == "prepared"
    ended = site.ctl("delete", "--all", "--state", "prepared", "--yes")
    assert ended.out == "1 message deleted\n"


@pytest.mark.parametrize("action", [["release"], ["delete", "--yes"]])
def test_prepared_messages_whose_transaction_may_still_end_are_said_to_stay(
    site, action
):
    (id,) = site.prepare("one")
    with site.queue() as queue, queue.write() as tx:
        batch = get_message(tx, id).batch
        remember_batch(tx, Batch(batch, own_identity()))
    ended = site.ctl(*action, "--all", "--state", "prepared")
    assert ended.status == 0
    assert ended.out.startswith("0 messages ")
    assert "1 prepared message left alone: of a transaction that still" in ended.err
    assert site.state_of(id) == "prepared"
    assert "belongs to a transaction that still runs" in site.ctl(*action, id).err


def test_messages_whose_transaction_is_perhaps_just_ending_can_be_named(site):
    (id,) = site.prepare("one", now=time.time())
    with site.queue() as queue, queue.write() as tx:
        batch = get_message(tx, id).batch
        remember_batch(tx, Batch(batch, own_identity(), voted=True))
    ended = site.ctl("release", "--all", "--state", "prepared")
    assert "1 prepared message left alone" in ended.err
    assert site.ctl("release", id).status == 0
    assert site.state_of(id) == "queued"


def test_a_lane_is_held_and_released(site):
    assert site.ctl("hold", "--lane", "bulk").out == "lane bulk held\n"
    assert site.ctl("hold", "--lane", "bulk").out == "lane bulk was held already\n"
    assert site.ctl("stats", "--json").json["held_lanes"] == ["bulk"]
    assert site.ctl("release", "--lane", "bulk").out == "lane bulk released\n"
    assert site.ctl("release", "--lane", "bulk").out == "lane bulk was not held\n"


def test_an_id_may_have_zeros_before_it_and_other_texts_name_no_message(site):
    id = site.send()
    assert site.ctl("hold", f"00{id}").status == 0
    assert site.state_of(f"0{id}") == "held"
    for none in ("9" * 5000, "9" * 19, "\u0661", "-1"):
        ended = site.ctl("release", "--", none)
        assert ended.status == 1
        assert "there is no such message" in ended.err
