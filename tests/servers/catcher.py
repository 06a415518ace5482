"""A real SMTP server (aiosmtpd) on loopback that keeps what it is sent."""

from __future__ import annotations

import asyncio
import ssl
import threading
from dataclasses import dataclass
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult
from servers.certificates import Certificates
from waiting import PATIENCE_SECONDS, wait_until


@dataclass(frozen=True)
class Caught:
    """One message as it came over the wire, dot stuffing undone."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    login: str
    tls: bool


class Catcher:
    """``with Catcher() as catcher:`` listens on ``127.0.0.1:catcher.port``.

    ``tls`` is "", "starttls" (offered), "required" (nothing works without STARTTLS) or
    "implicit" (TLS from the first byte); the certificate is for localhost and
    127.0.0.1, and ``ca_file`` is the path of the CA to trust. ``login`` is the
    (user, password) to accept; AUTH is then required.
    """

    def __init__(
        self,
        tls: str = "",
        login: tuple[str, str] | None = None,
    ) -> None:
        self.tls = tls
        self.login = login
        self.messages: list[Caught] = []
        self.port = 0
        self.ca_file = ""
        self._context: ssl.SSLContext | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._certificates: Certificates | None = None

    def __enter__(self) -> Catcher:
        if self.tls:
            self._certificates = Certificates()
            self._context = self._certificates.server_context
            self.ca_file = self._certificates.ca_file
        self._thread.start()
        starting = asyncio.run_coroutine_threadsafe(self._listen(), self._loop)
        self._server = starting.result(PATIENCE_SECONDS)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *exc_info: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(
            PATIENCE_SECONDS
        )
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_SECONDS)
        self._loop.close()
        if self._certificates is not None:
            self._certificates.__exit__()

    def wait_for(self, count: int, timeout: float = PATIENCE_SECONDS) -> list[Caught]:
        """The messages once there are `count`; AssertionError after `timeout`."""
        wait_until(
            lambda: len(self.messages) >= count,
            timeout,
            f"the arrival of {count} messages ({len(self.messages)} came)",
        )
        return list(self.messages)

    async def _listen(self) -> asyncio.Server:
        implicit = self._context if self.tls == "implicit" else None
        return await self._loop.create_server(
            self._session, "127.0.0.1", 0, ssl=implicit
        )

    async def _close(self) -> None:
        self._server.close()
        sessions = asyncio.all_tasks() - {asyncio.current_task()}
        for session in sessions:
            session.cancel()
        await asyncio.gather(*sessions, return_exceptions=True)

    def _session(self) -> SMTP:
        return SMTP(
            _Handler(self),
            enable_SMTPUTF8=True,
            hostname="catcher.test",
            tls_context=None if self.tls == "implicit" else self._context,
            require_starttls=self.tls == "required",
            # aiosmtpd knows only STARTTLS here: it would refuse implicit TLS.
            auth_require_tls=False,
            authenticator=self._authenticate if self.login else None,
            loop=self._loop,
        )

    def _authenticate(
        self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any
    ) -> AuthResult:
        given = (data.login.decode(), data.password.decode())
        return AuthResult(success=given == self.login, handled=False, auth_data=given)


class _Handler:
    def __init__(self, catcher: Catcher) -> None:
        self._catcher = catcher

    async def handle_EHLO(
        self,
        server: Any,
        session: Any,
        envelope: Any,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        session.host_name = hostname
        responses.insert(1, "250-PIPELINING")
        return responses

    async def handle_MAIL(
        self, server: Any, session: Any, envelope: Any, sender: str, options: list[str]
    ) -> str:
        if self._catcher.login is not None and not session.authenticated:
            return "530 5.7.0 Authentication required"
        envelope.mail_from = sender
        envelope.mail_options.extend(options)
        return "250 2.1.0 Ok"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        caught = Caught(
            sender=envelope.mail_from,
            recipients=tuple(envelope.rcpt_tos),
            content=envelope.content,
            login=session.auth_data[0] if session.authenticated else "",
            tls=self._catcher.tls == "implicit" or session.ssl is not None,
        )
        self._catcher.messages.append(caught)
        return f"250 2.0.0 Ok: caught as {len(self._catcher.messages)}"
