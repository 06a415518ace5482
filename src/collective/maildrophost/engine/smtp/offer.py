"""What a relay is offered of a message: the commands, and who fails without any."""

# Rules of this file:
# - What the relay said in EHLO decides; nothing is sent yet.
# - A recipient that cannot be offered to any relay like this one has failed. Where EHLO
#   was refused, nobody knows: the relay is at fault, unless it can serve others.

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from ..verdict import Outcome, Verdict
from .capabilities import Capabilities
from .content import wire_size
from .envelope import Path, UnsendableAddress, path
from .fault import RelayFault
from .findings import Findings
from .phases import Phase
from .session import Session, line

MOST_RECIPIENTS = 100
"""In one transaction: as many as every relay must take (RFC 5321 section 4.5.3.1.8).

Postfix counts each one over its limit as an error, and too many errors end a session.
"""


@dataclass(frozen=True)
class Offer:
    """The MAIL command, and up to MOST_RECIPIENTS of RCPT, by the recipients' index."""

    mail: bytes
    rcpts: dict[int, bytes]


def offer(
    session: Session,
    findings: Findings,
    sender: str,
    recipients: Sequence[str],
    content: bytes,
) -> Offer | None:
    """The commands to send, None when all have verdicts already; raises RelayFault."""
    reverse_path = _reverse_path(session, findings, sender)
    if reverse_path is None:
        return None
    # Only once, since every line of the content is looked at for it.
    size = wire_size(content) if session.capabilities.offers("SIZE") else 0
    if _cannot_carry(session, findings, content, size):
        return None
    paths = _forward_paths(session, findings, recipients)
    if not paths:
        return None
    offered = dict(islice(paths.items(), MOST_RECIPIENTS))
    utf8 = any(each.utf8 for each in (reverse_path, *offered.values()))
    return Offer(
        _mail_command(session, reverse_path, utf8, content, size),
        {index: line(f"RCPT TO:<{each.address}>") for index, each in offered.items()},
    )


def needs_smtputf8(
    sender: str, recipients: Sequence[str], capabilities: Capabilities
) -> bool:
    """Whether MAIL asks for SMTPUTF8 when these addresses are offered."""
    unusual = not all(each.isascii() for each in (sender, *recipients))
    if not (unusual and capabilities.offers("SMTPUTF8")):
        return False
    offered = islice(_sendable(recipients, capabilities), MOST_RECIPIENTS)
    paths = (*_sendable([sender], capabilities), *offered)
    return any(each.utf8 for each in paths)


def _sendable(addresses: Iterable[str], capabilities: Capabilities) -> Iterator[Path]:
    for address in addresses:
        # A recipient that cannot be offered fails alone, and does not count for others.
        with suppress(UnsendableAddress):
            yield path(address, capabilities)


def _reverse_path(session: Session, findings: Findings, sender: str) -> Path | None:
    try:
        return path(sender, session.capabilities)
    except UnsendableAddress as unsendable:
        findings.settle_rest(_of_the_message(session, unsendable.verdict))
        return None


def _cannot_carry(
    session: Session, findings: Findings, content: bytes, size: int
) -> bool:
    """Whether the relay has no way to take this content."""
    capabilities = session.capabilities
    limit = capabilities.size_limit
    if limit and size > limit:
        reply = f"5.3.4 the message has {size} octets, the relay takes {limit}"
        verdict = Verdict(Outcome.FAILED, reply)
    elif content.isascii() or capabilities.offers("8BITMIME"):
        return False
    elif capabilities.extended:
        # All else was converted before (conversion.py).
        reply = "5.6.3 a signed part has 8-bit octets, the relay takes 7 bits only"
        verdict = Verdict(Outcome.FAILED, reply)
    else:
        reply = "4.6.3 a signed part has 8-bit octets, but the relay refused EHLO"
        verdict = Verdict(Outcome.DEFERRED, reply)
    findings.settle_rest(_of_the_message(session, verdict))
    return True


def _forward_paths(
    session: Session, findings: Findings, recipients: Sequence[str]
) -> dict[int, Path]:
    paths, unsendable = {}, {}
    for index, recipient in enumerate(recipients):
        try:
            paths[index] = path(recipient, session.capabilities)
        except UnsendableAddress as error:
            unsendable[index] = error.verdict
    for index, verdict in unsendable.items():
        # A relay that refused EHLO is at fault only if it can serve no other recipient.
        if not paths:
            _of_the_message(session, verdict)
        findings.settle([index], verdict)
    return paths


def _of_the_message(session: Session, verdict: Verdict) -> Verdict:
    """`verdict` if the message is to blame; RelayFault if the refused EHLO may be."""
    if verdict.outcome is Outcome.DEFERRED:
        raise RelayFault(session.relay, Phase.EHLO, verdict.reply)
    return verdict


def _mail_command(
    session: Session, reverse_path: Path, utf8: bool, content: bytes, size: int
) -> bytes:
    command = f"MAIL FROM:<{reverse_path.address}>"
    if session.capabilities.offers("SIZE"):
        command += f" SIZE={size}"
    if session.capabilities.offers("8BITMIME") and not content.isascii():
        command += " BODY=8BITMIME"
    return line(command + " SMTPUTF8" if utf8 else command)
