"""The opening of a session, from the greeting to the point where mail may be sent."""

# Rules of this file:
# - Whatever goes wrong here is the relay's fault, 5xx included: no message was named.
# - What was learnt before TLS is forgotten after it, and plaintext that was slipped in
#   behind the relay's 220 ends the session (RFC 3207 section 4.2, CVE-2011-0411).
# - With MAILDROP_TLS=1 a relay that offers STARTTLS and then fails at it is at fault,
#   too: it is one's own relay, the fault is shown and can be mended, while a silent
#   fallback to plaintext would hide it for good.
# - Credentials travel over TLS, to this very machine, or where the administrator has
#   allowed cleartext; never otherwise.

from __future__ import annotations

import base64

from .capabilities import HELO_ONLY, Capabilities
from .fault import LoginRefused, RelayFault
from .phases import Phase
from .replies import Reply
from .sasl import Mechanism, choose
from .session import Session, line
from .settings import TLS_REQUIRED, TLS_WHEN_OFFERED, Login, Security
from .steps import Broken, Silent, StartTls, Steps, expect

MAX_CHALLENGES = 4


def open_session(
    session: Session, security: Security, login: Login | None, local_name: str
) -> Steps[None]:
    """Greeting, EHLO, STARTTLS, AUTH; RelayFault when any of it fails."""
    try:
        yield from _greeting(session)
        yield from _hello(session, security, login, local_name)
        if _wants_starttls(session, security):
            yield from _starttls(session, security, login)
            yield from _hello(session, security, login, local_name)
        if login is not None:
            yield from _log_in(session, login)
    except Broken as broken:
        raise RelayFault(
            session.relay,
            broken.phase,
            broken.reason,
            silent=isinstance(broken, Silent),
        ) from None


def _greeting(session: Session) -> Steps[None]:
    reply = yield from expect(Phase.GREETING)
    if not reply.positive:
        raise _refused(session, Phase.GREETING, reply)


def _hello(
    session: Session, security: Security, login: Login | None, local_name: str
) -> Steps[None]:
    reply = yield from session.ask(line(f"EHLO {local_name}"), Phase.EHLO)
    if reply.positive:
        session.capabilities = Capabilities.of(reply)
        return
    tls_missing = security.tls == TLS_REQUIRED and not session.encrypted
    if not reply.permanent or tls_missing or login is not None:
        raise _refused(session, Phase.EHLO, reply)
    reply = yield from session.ask(line(f"HELO {local_name}"), Phase.EHLO)
    if not reply.positive:
        raise _refused(session, Phase.EHLO, reply)
    session.capabilities = HELO_ONLY


def _wants_starttls(session: Session, security: Security) -> bool:
    if security.tls == TLS_REQUIRED:
        return True
    offered = session.capabilities.offers("STARTTLS")
    return security.tls == TLS_WHEN_OFFERED and offered


def _starttls(session: Session, security: Security, login: Login | None) -> Steps[None]:
    if not session.capabilities.offers("STARTTLS"):
        raise RelayFault(
            session.relay,
            Phase.STARTTLS,
            "the relay does not offer STARTTLS, which MAILDROP_TLS=2 requires",
            permanent=True,
        )
    reply = yield from session.ask(b"STARTTLS\r\n", Phase.STARTTLS)
    if not reply.positive:
        raise _refused(session, Phase.STARTTLS, reply)
    if session.replies.pending:
        raise RelayFault(
            session.relay,
            Phase.STARTTLS,
            "plaintext was slipped in before the TLS handshake: "
            "somebody may sit between this machine and the relay",
            permanent=True,
        )
    yield StartTls(_must_verify(session, security, login))
    session.encrypted = True
    session.capabilities = HELO_ONLY


def _must_verify(session: Session, security: Security, login: Login | None) -> bool:
    """Whether a certificate that does not verify ends the session.

    Opportunistic TLS takes any certificate, since it would do without TLS as well. But
    a password is not sent without TLS, so it must not be sent to a stranger either.
    """
    if not security.verify:
        return False
    return security.tls == TLS_REQUIRED or (
        login is not None and not session.loopback and not login.allow_cleartext
    )


def _log_in(session: Session, login: Login) -> Steps[None]:
    mechanism = _choose_mechanism(session, login)
    session.replies.confidential = _credentials(login)
    reply = yield from _start_auth(session, mechanism)
    for _ in range(MAX_CHALLENGES):
        if not reply.intermediate:
            break
        response = base64.b64encode(mechanism.respond(_challenge(reply)))
        reply = yield from session.ask(response + b"\r\n", Phase.AUTH)
    if not reply.positive:
        text = f"login as {login.user} refused: {reply}"
        raise LoginRefused(session.relay, text, reply.code)


def _choose_mechanism(session: Session, login: Login) -> Mechanism:
    if not (session.encrypted or session.loopback or login.allow_cleartext):
        raise RelayFault(
            session.relay,
            Phase.AUTH,
            "the login would travel in clear: use MAILDROP_TLS=2 or 3, "
            "or allow it with MAILDROP_ALLOW_CLEARTEXT_LOGIN=1",
            permanent=True,
        )
    offered = session.capabilities.auth_mechanisms
    mechanism = choose(login, offered)
    if not (offered or session.encrypted) and session.capabilities.offers("STARTTLS"):
        raise RelayFault(
            session.relay,
            Phase.AUTH,
            "no login is offered before STARTTLS: use MAILDROP_TLS=2",
            permanent=True,
        )
    if mechanism is None:
        wanted = login.mechanism or "plain or login"
        raise RelayFault(
            session.relay,
            Phase.AUTH,
            f"no common login mechanism: {wanted} wanted, "
            f"{' '.join(offered).lower() or 'none'} offered",
            permanent=True,
        )
    return mechanism


def _start_auth(session: Session, mechanism: Mechanism) -> Steps[Reply]:
    command = f"AUTH {mechanism.name}".encode()
    initial = mechanism.initial()
    if initial is not None:
        # RFC 4954 section 4: "=" is an initial response of no octets.
        command += b" " + (base64.b64encode(initial) or b"=")
    return session.ask(command + b"\r\n", Phase.AUTH)


def _challenge(reply: Reply) -> bytes:
    try:
        return base64.b64decode(reply.lines[0].strip())
    except ValueError:
        # LOGIN relays may ask in plain words; the order of the answers is fixed.
        return b""


def _credentials(login: Login) -> tuple[str, ...]:
    """What the relay is told in confidence: the secret, and what PLAIN makes of it."""
    secret = login.password.reveal()
    spoken = f"\0{login.user}\0{secret}".encode()
    return secret, base64.b64encode(spoken).decode()


def _refused(session: Session, phase: Phase, reply: Reply) -> RelayFault:
    return RelayFault(session.relay, phase, str(reply), permanent=reply.permanent)
