"""Holds the verdicts against what a strict reader of the conversation finds."""

from __future__ import annotations

from collections import Counter

from engine.smtp.fuzzing import transactions

from collective.maildrophost.engine.smtp import Phase
from collective.maildrophost.engine.smtp.content import wire_blocks
from collective.maildrophost.engine.verdict import Outcome

TOO_MANY = (452, 552)


def judge(talk):
    """Compare the results with what a strict reader of the conversation finds."""
    found = {each.call: each for each in transactions(talk)}
    assert len(found) == len(transactions(talk)), "a delivery is one transaction"
    for call, mail, reused, result in talk.attempts:
        judge_one(found.get(call), mail, reused, result)


def judge_one(transaction, mail, reused, result):
    assert len(result.verdicts) == len(mail.recipients)
    for address, verdict in zip(mail.recipients, result.verdicts, strict=True):
        took = transaction is not None and transaction.took(address)
        sent = verdict is not None and verdict.outcome is Outcome.SENT
        assert sent == took, f"{address} is {verdict}, in truth {transaction}"
        if verdict is None:
            judge_untried(transaction, address, reused, result)
        else:
            assert verdict.reply.isprintable()
        if verdict is not None and verdict.outcome is Outcome.FAILED:
            judge_failure(transaction, address, verdict)
    if not (reused or result.fault):
        assert any(result.verdicts), "sending again at once would never end"
    if transaction is not None and 421 in transaction.codes:
        assert not result.usable, "the relay said that it closes"
    unknown = transaction is not None and transaction.is_unknown
    assert result.possible_duplicate == unknown
    if transaction is not None and transaction.content:
        judge_content(transaction, mail)
    if result.fault is not None and result.fault.phase is Phase.DATA:
        assert transaction.mail // 100 == 2, "a refused sender blames no relay"


def judge_content(transaction, mail):
    """Content goes whole, and only to a relay that took sender and recipient."""
    accepted = any(code // 100 == 2 for code in transaction.rcpts.values())
    if accepted:
        assert transaction.mail // 100 == 2
        whole = b"".join(wire_blocks(mail.content))
        assert whole.startswith(transaction.content)
        assert transaction.content == whole or not transaction.dot_left
    else:
        assert transaction.content == b".\r\n", "a lone dot ends what has no recipient"


def judge_untried(transaction, address, reused, result):
    """No verdict: for a fault, for a limit, or since the connection was at its end."""
    if result.fault is None:
        unanswered = transaction is None or transaction.mail in (0, 421)
        # 452 to MAIL: it takes no more messages over this connection.
        had_its_share = transaction is not None and transaction.mail == 452
        was_over = reused and (unanswered or had_its_share) and not result.usable
        assert was_over or too_many(transaction, address)


def too_many(transaction, address):
    """Whether the relay had enough recipients, at this one or before."""
    last = next(reversed(transaction.rcpts))
    return transaction.rcpts.get(address, transaction.rcpts[last]) in TOO_MANY


def judge_failure(transaction, address, verdict):
    """Nobody fails but by a 5xx for him, or by what the relay cannot carry."""
    if verdict.reply[1] == ".":
        assert verdict.reply[:5] in ("5.1.3", "5.6.7", "5.3.4", "5.6.3")
        return
    others = [code for each, code in transaction.rcpts.items() if each != address]
    codes = Counter(transaction.codes) - Counter(others)
    assert int(verdict.reply[:3]) in codes
    assert verdict.reply[0] == "5"
