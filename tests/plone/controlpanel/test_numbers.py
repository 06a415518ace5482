"""How many mails there are, and the words beside a number."""

from __future__ import annotations

import time

import pytest

from collective.maildrophost.engine.queue import discard, new_batch, prepare


@pytest.mark.parametrize(("count", "said"), [(1, "1 mail ,"), (2, "2 mails ,")])
def test_mails_of_a_batch_are_counted(panel, queue, mail, count, said):
    batch = new_batch()
    with queue.write() as tx:
        prepare(tx, batch, [mail() for _ in range(count)], time.time())
    panel.open()
    assert said in panel.text
    with queue.write() as tx:
        discard(tx, batch)


@pytest.mark.parametrize(
    ("count", "said"), [(1, "Delete 1 message for"), (2, "Delete 2 messages for")]
)
def test_messages_to_be_deleted_are_counted(panel, put, mail, count, said):
    put(*[mail() for _ in range(count)])
    panel.post("maildrophost-act", action="delete", scope="all")
    assert said in panel.text
