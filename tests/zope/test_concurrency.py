"""Mail from many threads and processes at once: every mail once."""

from __future__ import annotations

import os
import subprocess

import transaction
from waiting import PATIENCE_SECONDS

from collective.maildrophost.host import MaildropHost

THREADS = 8
PROCESSES = 2
MAILS = 25


def test_every_mail_of_eight_threads_is_queued_once(send, subjects, in_threads):
    def work(thread):
        for number in range(MAILS):
            send(MaildropHost(), f"{thread} {number}")
            transaction.commit()

    in_threads(THREADS, work)
    expected = [(f"{t} {n}", "queued") for t in range(THREADS) for n in range(MAILS)]
    assert sorted(subjects()) == sorted(expected)


def test_every_mail_of_two_processes_is_queued_once(
    queue, subjects, in_process, scripts
):
    queue.close()
    processes = [
        in_process(
            scripts / "send_many.py",
            f"process{number}",
            MAILS,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(PROCESSES)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        assert process.wait(PATIENCE_SECONDS) == 0
    expected = [
        (f"process{process} {number}", "queued")
        for process in range(PROCESSES)
        for number in range(MAILS)
    ]
    assert sorted(subjects()) == sorted(expected)


def test_a_forked_process_sends_mail_of_its_own(host, send, subjects):
    send(host, "before")
    transaction.commit()
    child = os.fork()
    if not child:
        try:
            send(host, "of the child")
            transaction.commit()
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    send(host, "of the parent")
    transaction.commit()
    assert status == 0
    assert [subject for subject, _ in subjects()] == [
        "before",
        "of the child",
        "of the parent",
    ]
