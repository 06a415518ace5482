"""A verdict is on disk before its connection goes on, however many there are."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import defaultdict
from itertools import pairwise

from engine.delivery.writing import writes_to
from servers.scripted import Scripted
from waiting import PATIENCE_SECONDS

from collective.maildrophost.engine.config import load
from collective.maildrophost.engine.delivery import Delivery, Route
from collective.maildrophost.engine.message import compose
from collective.maildrophost.engine.queue import enqueue

MAILS = 60


class Attentive(Scripted):
    """Keeps the order in which mails were offered, each with its connection."""

    def __init__(self, order):
        super().__init__()
        self.order = order

    def answer(self, name, address, default):
        if name == "MAIL":
            self.order.append((threading.get_ident(), address))
        return super().answer(name, address, default)


def mail(number):
    return compose(b"x: y\n\nz", f"{number}@x.org", ["b@x.org"], now=time.time())


def test_no_connection_offers_a_mail_while_its_last_verdict_waits(queue, tmp_path):
    path = tmp_path / "maildrop.conf"
    order = []
    with queue.write() as tx:
        ids = enqueue(tx, [mail(number) for number in range(MAILS)], time.time())
    names = {int(id): f"{number}@x.org" for number, id in enumerate(ids)}
    write = writes_to(queue)

    async def slowly(request):
        # Long enough for others to be done with their mail meanwhile.
        await asyncio.sleep(0.005)
        answer = await write(request)
        order.extend(("written", names[done.id]) for done in request.settlements)
        return answer

    with Attentive(order) as relay:
        path.write_text(
            f"MAILDROP_HOME='{tmp_path}'\nMAILDROP_CONCURRENCY=4\n"
            f"SMTP_HOST=127.0.0.1\nSMTP_PORT={relay.port}\n"
        )
        configuration = load(path, {})

        async def deliver():
            route = Route.of(configuration)
            delivery = Delivery(configuration, route, queue, "me", slowly, once=True)
            await asyncio.wait_for(delivery.run(), PATIENCE_SECONDS)

        asyncio.run(deliver())
    assert len(relay.accepted) == MAILS
    connections = defaultdict(list)
    for connection, name in order:
        if connection != "written":
            connections[connection].append(name)
    for names in connections.values():
        for before, after in pairwise(names):
            written = order.index(("written", before))
            assert written < [name for _, name in order].index(after)
