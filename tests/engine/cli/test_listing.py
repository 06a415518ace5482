"""`queue`, `show`: what a person sees of the mail."""

from __future__ import annotations

import re
import time

from collective.maildrophost.engine.cli import listing
from collective.maildrophost.engine.clock import rfc3339
from collective.maildrophost.engine.message import compose
from collective.maildrophost.engine.queue import delete_messages, enqueue, open_queue

MESSAGE_KEYS = {
    "id",
    "state",
    "lane",
    "sender",
    "recipients",
    "size",
    "subject",
    "message_id",
    "created",
    "due",
    "attempts",
    "possible_duplicate",
}


def test_messages_are_listed_oldest_due_first(site):
    late = site.send("-f", "a@x.org", "b@x.org", "--at", "2035-01-01T00:00:00Z")
    early = site.send(subject="early")
    listed = site.ctl("queue", "--json").json
    assert [message["id"] for message in listed] == [early, late]
    assert set(listed[0]) == MESSAGE_KEYS
    lines = site.ctl("queue").out.splitlines()
    assert lines[0].split()[:3] == ["ID", "STATE", "LANE"]
    assert "early" in lines[1]


def test_a_line_tells_when_mail_is_due_from_whom_and_how_many_get_it(site):
    later = time.time() + 3 * 86400 + 1800
    ids = [
        site.send("-f", "", "b@x.org", "c@x.org"),
        site.send("-f", "a@x.org", "b@x.org"),
        site.send("-f", "a@x.org", "b@x.org", "--at", rfc3339(later)),
    ]
    site.ctl("hold", ids[1])
    _, *lines = site.ctl("queue").out.splitlines()
    rows = [re.split(" {2,}", line.strip()) for line in lines]
    told = {id: (due, *rest) for id, _state, _lane, due, _size, *rest in rows}
    assert told == {
        ids[0]: ("now", "<>", "b@x.org +1", "hello"),
        ids[1]: ("-", "a@x.org", "b@x.org", "hello"),
        ids[2]: ("in 3d", "a@x.org", "b@x.org", "hello"),
    }


def test_a_state_narrows_the_list(site):
    held, other = site.send(), site.send()
    site.ctl("hold", held)
    states = {"held": [held], "queued": [other], "failed": []}
    for state, ids in states.items():
        listed = site.ctl("queue", "--state", state, "--json").json
        assert [message["id"] for message in listed] == ids


def test_a_limit_that_hides_messages_says_so(site):
    for _ in range(3):
        site.send()
    ended = site.ctl("queue", "--limit", "2", "--json")
    assert len(ended.json) == 2
    assert "--limit" in ended.err
    assert site.ctl("queue", "--limit", "3").err == ""


def test_a_long_listing_is_read_while_it_is_printed(tmp_path, monkeypatch):
    """With a million messages all at once took five gigabytes."""
    monkeypatch.setattr(listing, "AT_ONCE", 2)
    queue = open_queue(f"sqlite:///{tmp_path}/queue.db")
    mail = compose(b"Subject: x\n\ny\n", "a@x.org", ["b@x.org"], now=1.0)
    with queue.write() as tx:
        ids = enqueue(tx, [mail] * 3, 1.0)
    pages = listing._pages(queue, list(map(int, ids)))
    assert [each.id for each in next(pages)] == list(ids[:2])
    # Nothing is kept open for a reader who stops here for hours.
    with queue.write() as tx:
        delete_messages(tx, ids[2:])
    assert list(pages) == [[]]
    queue.close()


def test_a_table_fits_the_terminal(site):
    site.send("-f", f"{'a' * 60}@example.org", "b@example.org", subject="long " * 20)
    lines = site.ctl("queue", COLUMNS="80").out.splitlines()
    assert max(map(len, lines)) <= 80
    assert "…" in lines[1]


def test_a_table_in_a_pipe_is_not_cut(site):
    site.send("-f", f"{'a' * 60}@example.org", "b@example.org", subject="long " * 20)
    assert "a" * 60 + "@example.org" in site.ctl("queue").out


def test_nothing_in_a_mail_steers_the_terminal(site):
    site.send(subject="=?utf-8?q?a=1B=5B31m=0Ab=E2=80=AEc?=")
    for command in (("queue",), ("show", "1")):
        out = site.ctl(*command).out
        assert "\x1b" not in out
        assert "\u202e" not in out


def test_a_message_is_shown_with_envelope_recipients_origin(site):
    id = site.send("-f", "", "b@example.org", subject="one thing")
    out = site.ctl("show", id).out
    for text in (f"{id}, queued", "<>", "one thing", "b@example.org", "pending"):
        assert text in out
    assert "Origin:     maildropctl send\n" in out
    assert "Batch:" not in out
    (prepared,) = site.prepare("another")
    assert "Batch:" in site.ctl("show", prepared).out
    assert "Duplicate:" not in out
    with site.queue() as queue, queue.write() as tx:
        tx.exec_driver_sql("UPDATE maildrop_schedule SET possible_duplicate = true")
    assert "Duplicate:  possible\n" in site.ctl("show", id).out


def test_an_unknown_message_is_a_failure(site):
    for id in ("1", "abc", "9" * 40):
        ended = site.ctl("show", id)
        assert ended.status == 1
        assert id in ended.err
    site.send()
    assert site.ctl("show", "77").status == 1
