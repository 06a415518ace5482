"""An action on all prepared mail, while its transaction votes."""

from __future__ import annotations

import time

from collective.maildrophost.engine.crowd import act_on_all
from collective.maildrophost.engine.queue import (
    Batch,
    Search,
    State,
    new_batch,
    operator,
    prepare,
    release,
    remember_batch,
)
from collective.maildrophost.engine.system.identity import own_identity


def test_mail_whose_transaction_votes_at_that_moment_is_kept(queue, hands, monkeypatch):
    batch = new_batch()
    hands.do(remember_batch, Batch(batch, own_identity()))
    hands.do(prepare, batch, [hands.mail()], time.time())

    def then_votes(look):
        def looks(*arguments):
            found = look(*arguments)
            hands.do(remember_batch, Batch(batch, own_identity(), voted=True))
            return found

        return looks

    for name in ("running_batches", "ending_batches"):
        monkeypatch.setattr(operator, name, then_votes(getattr(operator, name)))
    assert act_on_all(queue, "delete", Search(states=(State.PREPARED,))) == ()
    assert hands.do(release, batch) == 1
