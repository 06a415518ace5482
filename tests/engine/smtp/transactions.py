"""One transaction driven in memory, with what it is given and what came of it."""

from __future__ import annotations

from engine.smtp.driving import drive, session

from collective.maildrophost.engine.smtp.transaction import deliver

TWO = ["b@example.org", "c@example.org"]
CONTENT = b"Subject: x\r\n\r\nbody\r\n"


def run(chunks, *keywords, recipients=TWO, content=CONTENT, **options):
    talk = session(*keywords, **options)
    done = drive(
        deliver(talk, "a@example.org", recipients, content), talk.replies, chunks
    )
    done.session = talk
    return done


def lines(*replies):
    return [reply.encode() + b"\r\n" for reply in replies]


def words(result):
    return [verdict and verdict.outcome.value for verdict in result.verdicts]
