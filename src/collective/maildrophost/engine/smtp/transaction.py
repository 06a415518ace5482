"""One mail transaction: a verdict for every recipient, whatever the relay does."""

# Rules of this file:
# - The first digit of the reply code decides; an enhanced status never overrules it,
#   but only tells what a refusal is about: 5.7.0 at MAIL is a missing login, X.5.3 at
#   RCPT a limit to the number of recipients.
# - With PIPELINING (RFC 2920) MAIL, RCPT and DATA go out at once; every reply is read.
# - A recipient is SENT only by a 2xx that came after the last dot had left.
# - If the connection breaks before the dot has left, nothing arrived. If it breaks
#   later nobody knows (RFC 1047): the recipients are deferred, the message is marked.
# - If this side cuts it short before that, whoever has no verdict was not tried.
# - 421 ends the session; verdicts given before it stand, the others are deferred.
# - On a reused connection that had died meanwhile nothing was tried: no verdicts. Nor
#   was it on one that is told at MAIL that it has had its share of messages.
# - Recipients that were not offered (offer.py) have no verdict: the next transaction
#   starts with them. But a verdict on the sender, or on the connection, is theirs, too.
# - A login that is missing at MAIL is the relay's fault; so is an unknown DATA command.

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..verdict import Outcome, Verdict
from .content import END_OF_DATA, wire_blocks
from .fault import RelayFault
from .findings import Findings, Result
from .offer import Offer, offer
from .phases import Phase
from .replies import Reply
from .session import Session
from .steps import (
    Broken,
    CutShort,
    OutOfTurn,
    Send,
    ServiceClosing,
    Steps,
    Stranded,
    expect,
)

LOGIN_REQUIRED = 530  # RFC 4954 section 6
TOO_MANY_RECIPIENTS = (452, 552)  # RFC 5321 section 4.5.3.1.10
NO_SUCH_COMMAND = range(500, 505)


def deliver(
    session: Session, sender: str, recipients: Sequence[str], content: bytes
) -> Steps[Result]:
    """Give one message to the relay; never raises for anything the relay does."""
    findings = Findings(len(recipients))
    try:
        yield from _deliver(session, findings, sender, recipients, content)
    except Broken as broken:
        findings.usable = False
        begun = findings.answered or session.served > 0
        if isinstance(broken, OutOfTurn) and not begun:
            # Nothing of the message has left: no message is to blame.
            findings.fault = RelayFault(session.relay, broken.phase, broken.reason)
        elif not isinstance(broken, CutShort) and (
            findings.answered or session.served == 0
        ):
            findings.settle_rest(Verdict(Outcome.DEFERRED, broken.reason))
        findings.stranded = findings.dot_left and isinstance(
            broken, (CutShort, Stranded)
        )
        # 421 is an answer: the relay says that it did not take the message.
        findings.possible_duplicate = findings.dot_left and not isinstance(
            broken, (CutShort, ServiceClosing, Stranded)
        )
    except RelayFault as fault:
        findings.usable = False
        findings.fault = fault
    session.served += 1
    return findings.result()


def _deliver(
    session: Session,
    findings: Findings,
    sender: str,
    recipients: Sequence[str],
    content: bytes,
) -> Steps[None]:
    offered = offer(session, findings, sender, recipients, content)
    if offered is None:
        return
    if session.capabilities.offers("PIPELINING"):
        reset = [b"RSET\r\n"] if session.reset_due else []
        group = b"".join([*reset, offered.mail, *offered.rcpts.values(), b"DATA\r\n"])
        yield from session.send(group, Phase.MAIL)
    yield from _converse(session, findings, offered, content)


def _converse(
    session: Session, findings: Findings, offered: Offer, content: bytes
) -> Steps[None]:
    pipelining = session.capabilities.offers("PIPELINING")
    yield from _reset(session)
    mail_reply = yield from _ask(session, Phase.MAIL, offered.mail)
    findings.answered = True
    sender_taken = _judge_mail(session, findings, mail_reply)
    if not sender_taken and not pipelining:
        return
    accepted = yield from _name_recipients(
        session, findings, offered.rcpts, sender_taken
    )
    if not accepted and not pipelining:
        return
    data_reply = yield from _ask(session, Phase.DATA, b"DATA\r\n")
    if not (sender_taken and accepted):
        yield from _end_empty(session, accepted, data_reply)
    elif _judge_data(session, findings, accepted, data_reply):
        yield from _upload(session, findings, accepted, content)


def _name_recipients(
    session: Session, findings: Findings, rcpts: dict[int, bytes], sender_taken: bool
) -> Steps[list[int]]:
    """The indexes of the recipients that the relay took."""
    accepted: list[int] = []
    for index, rcpt in rcpts.items():
        reply = yield from _ask(session, Phase.RCPT, rcpt)
        if reply.positive:
            accepted.append(index)
        elif sender_taken:
            _judge_refusal(session, findings, index, reply, bool(accepted))
        if accepted and _no_more(session, reply):
            break
    return accepted


def _ask(session: Session, phase: Phase, command: bytes) -> Steps[Reply]:
    if session.capabilities.offers("PIPELINING"):
        return expect(phase)  # It has gone out with the others.
    return session.ask(command, phase)


def _reset(session: Session) -> Steps[None]:
    if not session.reset_due:
        return
    # Sent with the next message, not after the last one: verdicts never wait for it.
    reply = yield from _ask(session, Phase.RSET, b"RSET\r\n")
    if not reply.positive:
        raise Broken(Phase.RSET, str(reply))
    session.reset_due = False


def _judge_mail(session: Session, findings: Findings, reply: Reply) -> bool:
    """Whether the relay took the sender."""
    if reply.positive:
        session.reset_due = True
        return True
    if session.served and reply.code == 452 and reply.enhanced == "4.5.3":
        # Nobody is named yet: OpenSMTPD says so of the messages of a connection. That
        # is no answer to this message, even if the connection breaks before the rest.
        findings.usable = findings.answered = False
        return False
    if reply.code == LOGIN_REQUIRED or (reply.permanent and reply.enhanced == "5.7.0"):
        raise RelayFault(session.relay, Phase.MAIL, str(reply), permanent=True)
    findings.settle_rest(_verdict(Phase.MAIL, reply))
    return False


def _judge_refusal(
    session: Session,
    findings: Findings,
    index: int,
    reply: Reply,
    others_accepted: bool,
) -> None:
    """What it means that the relay did not take a recipient."""
    if others_accepted and _too_many(reply):
        return  # No verdict: the next transaction starts with this recipient.
    if reply.code == LOGIN_REQUIRED and not others_accepted:
        raise RelayFault(session.relay, Phase.RCPT, str(reply), permanent=True)
    findings.settle([index], _verdict(Phase.RCPT, reply))


def _too_many(reply: Reply) -> bool:
    # Old relays give no enhanced status; the next transaction then shows whether it
    # was this recipient after all.
    return reply.code in TOO_MANY_RECIPIENTS and reply.enhanced[1:] in ("", ".5.3")


def _no_more(session: Session, reply: Reply) -> bool:
    """Whether the relay has enough recipients, and the others have not left yet."""
    enough = _too_many(reply) and reply.enhanced != ""
    return enough and not session.capabilities.offers("PIPELINING")


def _judge_data(
    session: Session, findings: Findings, accepted: Iterable[int], reply: Reply
) -> bool:
    """Whether the relay waits for the content."""
    if reply.intermediate:
        return True
    if reply.positive:
        raise Broken(Phase.DATA, f"the relay answered DATA with {reply}")
    if reply.code in NO_SUCH_COMMAND or reply.code == LOGIN_REQUIRED:
        raise RelayFault(session.relay, Phase.DATA, str(reply), permanent=True)
    findings.settle(accepted, _verdict(Phase.DATA, reply))
    return False


def _end_empty(
    session: Session, accepted: Sequence[int], data_reply: Reply
) -> Steps[None]:
    """Nobody is to get the content; so the reply to DATA is no verdict.

    RFC 2920 section 3.1: a 354 without recipients is answered by a lone dot.
    """
    if accepted:  # although the sender was refused: they must not get the next message
        session.reset_due = True
    if not data_reply.intermediate:
        return
    if accepted:
        # Any end of data would now make the relay deliver something.
        raise Broken(Phase.DATA, "the relay takes content for a refused sender")
    # No content, which would stay here when the relay spoke: it waits for this dot.
    yield from session.send(END_OF_DATA, Phase.END)
    yield from expect(Phase.END)
    session.reset_due = False


def _upload(
    session: Session, findings: Findings, accepted: list[int], content: bytes
) -> Steps[None]:
    all_left = True
    for block in wire_blocks(content):
        if session.replies.pending:
            all_left = False
            break
        all_left = yield Send(block, Phase.CONTENT)
    if not all_left:
        yield from _early_reply(findings, accepted)
        return
    findings.dot_left = True
    reply = yield from expect(Phase.END)
    session.reset_due = False
    findings.settle(accepted, _verdict(Phase.END, reply))


def _early_reply(findings: Findings, accepted: Iterable[int]) -> Steps[None]:
    reply = yield from expect(Phase.CONTENT)
    if reply.positive:
        raise Broken(Phase.CONTENT, f"the relay answered half the content: {reply}")
    findings.settle(accepted, _verdict(Phase.CONTENT, reply))
    findings.usable = False


def _verdict(phase: Phase, reply: Reply) -> Verdict:
    if reply.positive:
        return Verdict(Outcome.SENT, str(reply))
    if reply.transient:
        return Verdict(Outcome.DEFERRED, str(reply))
    if reply.permanent:
        return Verdict(Outcome.FAILED, str(reply))
    raise Broken(phase, f"the relay's reply makes no sense here: {reply}")
