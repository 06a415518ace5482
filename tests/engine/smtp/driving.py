"""Procedures driven in memory: the relay is a list of byte strings."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace

from collective.maildrophost.engine.config import RelayAddress
from collective.maildrophost.engine.smtp.capabilities import Capabilities
from collective.maildrophost.engine.smtp.replies import MalformedReply
from collective.maildrophost.engine.smtp.session import Session
from collective.maildrophost.engine.smtp.steps import Broken, Expect, Send

RELAY = RelayAddress("relay.test", 25)


def session(*keywords, **options):
    capabilities = Capabilities(dict.fromkeys(keywords, ""))
    return Session(RELAY, capabilities=capabilities, **options)


def drive(
    procedure,
    replies,
    chunks: Iterable[bytes],
    hasty: Iterable[bool] = (),
    dropped: type[Broken] = Broken,
):
    """Run to the end; the relay says the next of `chunks` when it is listened to.

    `hasty` tells of each write whether the relay speaks while it is under way;
    `dropped` is what listening meets after the last chunk.
    The answer has `result`, `writes` and `heard`: how many chunks the relay had said
    by the time each write had left.
    """
    waiting, hurries = iter(chunks), iter(hasty)
    run = SimpleNamespace(result=None, writes=[], heard=[], count=0)

    def listen():
        chunk = next(waiting, None)
        if chunk is None:
            return False
        run.count += 1
        replies.feed(chunk)
        return True

    def perform(step):
        if isinstance(step, Expect):
            while True:
                try:
                    reply = replies.take()
                except MalformedReply as malformed:
                    raise Broken(step.phase, str(malformed)) from None
                if reply is not None:
                    return reply
                if not listen():
                    raise dropped(step.phase, "dropped")
        if isinstance(step, Send):
            run.writes.append(step.data)
            hurried = next(hurries, False) and listen()
            run.heard.append(run.count)
            return not hurried
        return None

    answer, broken = None, None
    try:
        while True:
            step = procedure.throw(broken) if broken else procedure.send(answer)
            answer, broken = None, None
            try:
                answer = perform(step)
            except Broken as error:
                broken = error
    except StopIteration as end:
        run.result = end.value
    return run
