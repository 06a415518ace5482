"""`maildropctl import`: what it says and leaves; a kill doubles nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from waiting import wait_until

from collective.maildrophost.engine.message import compose
from collective.maildrophost.engine.queue import (
    claim,
    due,
    enqueue,
    list_messages,
    new_batch,
    open_queue,
    prepare,
)
from collective.maildrophost.engine.takeover import taking

MANY = 400
FAULTS = Path(__file__).parents[1] / "faults"
# Otherwise each run would watch the mail for a second.
IMPATIENT = json.dumps({"smtp": {}, "takeover.taking.QUIET_SECONDS": 0.1})
PROGRAM = sys.executable, str(FAULTS / "impatient.py"), IMPATIENT


def spool_with(home: Path, *subjects: str, first: int = 0) -> Path:
    spool = home / "old-spool"
    spool.mkdir(exist_ok=True)
    for number, subject in enumerate(subjects, first):
        path = spool / str(100_000 + number)
        path.write_text(f"##To:b@x.org\n##From:a@x.org\nSubject: {subject}\n\nbody\n")
        os.utime(path, (number, number))
    return spool


def maildir_in(home: Path) -> Path:
    maildir = home / "mailqueue"
    for folder in ("cur", "new", "tmp"):
        (maildir / folder).mkdir(parents=True)
    text = "X-Zope-From: a@x.org\nX-Zope-To: b@x.org\nSubject: old\n\nbody\n"
    for name in ("1.1.h.1", ".rejected-2.1.h.1", ".sending-3.1.h.1"):
        (maildir / "new" / name).write_text(text)
    return maildir


def subjects_in(site) -> list[str]:
    with site.queue() as queue, queue.read() as tx:
        return [message.subject for message in list_messages(tx)]


def test_several_old_queues_come_over_at_once(site):
    old = spool_with(site.home, "one", "two"), maildir_in(site.home)
    ended = site.ctl("import", *map(str, old))
    assert (ended.status, ended.err) == (0, "")
    assert ended.out == (
        "5 messages taken over, 1 of them failed before: see 'queue --state failed'\n"
    )
    states = Counter(each["state"] for each in site.ctl("queue", "--json").json)
    assert states == {"queued": 4, "failed": 1}
    assert site.ctl("import", *map(str, old)).out == "0 messages taken over\n"


def test_json_counts_and_names_what_is_left(site):
    spool = spool_with(site.home, "one")
    locked = spool / "200000"
    locked.write_text("##To:b@x.org\n##From:a@x.org\nSubject: x\n\n")
    (spool / "200000.lck").write_text("locked")
    ended = site.ctl("import", str(spool), "--json")
    assert ended.status == 1
    counts = {name: ended.json[name] for name in ("queued", "failed", "taken_before")}
    assert counts == {"queued": 1, "failed": 0, "taken_before": 0}
    (left,) = ended.json["left"]
    assert left["path"] == str(locked)
    assert "is locked" in left["reason"]


def test_what_was_taken_before_is_counted_as_such(site):
    (mail,) = spool_with(site.home, "one").iterdir()
    kept = site.home / "kept"
    os.link(mail, kept)

    def imported(*options):
        os.link(kept, mail)  # as a kill before its removal leaves it
        ended = site.ctl("import", str(mail.parent), *options)
        assert (ended.status, mail.exists()) == (0, False)
        return ended

    site.ctl("import", str(mail.parent))
    assert imported().out == "0 messages taken over; 1 was taken before\n"
    counts = {"queued": 0, "failed": 0, "taken_before": 1, "left": []}
    assert imported("--json").json == counts
    assert subjects_in(site) == ["one"]


def test_a_file_that_stays_is_not_said_to_be_gone(site, inside, monkeypatch):
    spool = spool_with(site.home, "one", "two")

    def refuse(path, missing_ok=False):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refuse)
    monkeypatch.setattr(taking, "QUIET_SECONDS", 0.0)
    for said in (
        "2 messages taken over\n",
        "0 messages taken over; 2 were taken before\n",
    ):
        ended = inside("--config", str(site.path), "import", str(spool))
        assert (ended.status, ended.out) == (1, said)
        assert ended.err.count("but the file cannot be removed") == 2
    assert len(list(spool.iterdir())) == 2


def test_what_is_left_is_named_and_makes_the_status_1(site):
    spool = spool_with(site.home, "one")
    (spool / "bad").write_text("##To:x\n##Frm:a@x.org\nSubject: x\n\n")
    ended = site.ctl("import", str(spool))
    assert ended.status == 1
    assert ended.out == "1 message taken over\n"
    assert ended.err.startswith(f"left: {spool}/bad unknown line")


def test_a_directory_that_is_no_queue_is_named_and_makes_the_status_1(site):
    folder = maildir_in(site.home) / "new"
    ended = site.ctl("import", str(folder))
    assert (ended.status, ended.out) == (1, "0 messages taken over\n")
    assert ended.err.startswith(f"left: {folder} has nothing that looks like queued")
    ended = site.ctl("import", str(folder), "--json")
    assert ended.status == 1
    assert [each["path"] for each in ended.json["left"]] == [str(folder)]


def test_a_directory_may_look_like_a_mistyped_queue(site):
    old = spool_with(site.home, "one").rename(site.home / "me@example.org")
    assert site.ctl("import", str(old)).out == "1 message taken over\n"


def test_a_directory_that_is_not_there_is_wrong_usage(site):
    ended = site.ctl("import", str(site.home / "nowhere"))
    assert ended.status == 2
    assert "nowhere" in ended.err


def test_a_queue_that_cannot_be_opened_leaves_all_mail(site):
    spool = spool_with(site.home, "one")
    (site.home / "queue.db").mkdir()
    ended = site.ctl("import", str(spool))
    assert ended.status == 1
    assert "stays where it is" in ended.err
    assert "import again" in ended.err
    assert len(list(spool.iterdir())) == 1


def test_another_queue_of_ours_moves_to_this_one(site, tmp_path):
    old = f"sqlite:///{tmp_path}/old/queue.db"
    mail = compose("Subject: moved\n\nbody\n", "a@x.org", ["b@x.org"], now=time.time())
    with closing(open_queue(old)) as queue, queue.write() as tx:
        enqueue(tx, [mail] * 3, time.time())
        waiting = due(tx, 1, time.time()).lanes
        claim(tx, "a daemon", waiting[mail.lane], time.time())
    ended = site.ctl("import", old)
    assert ended.out == "2 messages taken over\n"
    assert ended.status == 1
    assert ended.err == (
        f"left: {old} has 1 in flight: stop its daemon, then import again\n"
    )
    assert subjects_in(site) == ["moved", "moved"]
    assert site.ctl("import", old).out == "0 messages taken over\n"


def test_mail_in_doubt_stays_in_another_queue_of_ours_and_is_named(site, tmp_path):
    old = f"sqlite:///{tmp_path}/old/queue.db"
    mail = compose("Subject: moved\n\nbody\n", "a@x.org", ["b@x.org"], now=time.time())
    with closing(open_queue(old)) as queue, queue.write() as tx:
        prepare(tx, new_batch(), [mail] * 2, time.time())
    ended = site.ctl("import", old)
    assert (ended.status, ended.out) == (1, "0 messages taken over\n")
    assert ended.err == (
        f"left: {old} has 2 in doubt: decide about them, then import again\n"
    )


def test_a_queue_is_not_imported_into_itself(site):
    site.ctl("send", "-f", "a@x.org", "b@x.org", stdin=b"Subject: one\n\nbody\n")
    url = f"sqlite:///{site.home}/queue.db"
    ended = site.ctl("import", url)
    assert (ended.status, ended.out) == (1, "")
    assert ended.err.endswith(
        f"{url} is the queue of this configuration: name the old one\n"
    )
    assert subjects_in(site) == ["one"]


def test_a_queue_that_is_not_there_is_wrong_usage_and_not_made(site, tmp_path):
    ended = site.ctl("import", f"sqlite:///{tmp_path}/mistyped.db")
    assert ended.status == 2
    assert "there is no such queue" in ended.err
    assert not (tmp_path / "mistyped.db").exists()


@pytest.mark.parametrize("mistyped", ["postgresql+psycopg//me:", "me:"])
def test_a_password_of_a_mistyped_queue_is_not_shown(site, mistyped):
    ended = site.ctl("import", f"{mistyped}sesame7@127.0.0.1/old")
    assert ended.status == 2
    assert "sesame7" not in ended.err
    assert "expected sqlite:////PATH or postgresql" in ended.err


def test_a_password_of_an_old_queue_is_not_shown(site):
    url = "postgresql+psycopg://me:sesame7@127.0.0.1:1/old"
    for old in url, url + "?connect_timeout=1&password=sesame7", "mysql" + url:
        ended = site.ctl("import", old)
        assert ended.status in (1, 2)
        assert "sesame7" not in ended.out + ended.err


def test_each_mail_comes_over_once_however_often_the_import_is_killed(site):
    spool = spool_with(site.home)
    mails: list[str] = []
    kills = 0
    while True:
        if not list(spool.iterdir()):
            more = [f"number {len(mails) + number}" for number in range(MANY)]
            spool_with(site.home, *more, first=len(mails))
            mails += more
        left = len(list(spool.iterdir()))
        process = subprocess.Popen(
            [*PROGRAM, "--config", str(site.path), "import", str(spool)],
            stdout=subprocess.DEVNULL,
        )
        wait_until(
            lambda left=left, process=process: (
                len(list(spool.iterdir())) < left - 20 or process.poll() is not None
            ),
            what="the next mails taken over",
        )
        if process.poll() is None:
            process.kill()
            process.wait()
            kills += 1
            continue
        assert (process.returncode, list(spool.iterdir())) == (0, [])
        # Otherwise the import was faster than this could look.
        if kills >= 3:
            break
    assert Counter(subjects_in(site)) == Counter(mails)
