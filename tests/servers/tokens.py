"""A token endpoint on loopback that gives out what a test tells it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from servers.certificates import Certificates
from waiting import PATIENCE_SECONDS

Fields = dict[str, str]
Answer = tuple[int, Any]


def refusal(error: str, description: str = "", status: int = 400) -> Answer:
    """As RFC 6749 section 5.2 writes it."""
    return status, {"error": error, "error_description": description}


def login_options(
    tokens: TokenServer, client_secret: Path, user: str = "site@example.org"
) -> dict[str, object]:
    """The options of a login with tokens; the secret is in the file `client_secret`."""
    return {
        "MAILDROP_AUTH": "xoauth2",
        "MAILDROP_LOGIN": user,
        "MAILDROP_OAUTH_TOKEN_URL": tokens.url,
        "MAILDROP_OAUTH_CLIENT_ID": "client-1",
        "MAILDROP_OAUTH_CLIENT_SECRET_FILE": client_secret,
    }


class TokenServer:
    """``with TokenServer() as tokens:`` answers POST requests at `tokens.url`.

    Each request gets a new token (the `n`th is "PREFIXn") for `lifetime` seconds, or
    what `answers` has for it: a (status, body) or a function of the request's fields
    that gives one; the last answer stays. A body of text is sent as it is, one of bytes
    as packed by gzip. Until `gate` is set no answer is given.
    """

    def __init__(
        self,
        *answers: Answer | Callable[[Fields], Answer],
        prefix: str = "token-",
        lifetime: float = 3600,
        certificates: Certificates | None = None,
    ) -> None:
        self.answers = list(answers)
        self.prefix = prefix
        self.lifetime = lifetime
        self.requests: list[Fields] = []
        self.gate = threading.Event()
        self.gate.set()
        self._certificates = certificates
        self._lock = threading.Lock()
        self.url = ""
        self.port = 0

    def __enter__(self) -> TokenServer:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.tokens = self  # type: ignore[attr-defined]
        scheme = "http"
        if self._certificates is not None:
            scheme = "https"
            context = self._certificates.server_context
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True
            )
        self.port = self._server.server_address[1]
        self.url = f"{scheme}://127.0.0.1:{self.port}/token"
        threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        ).start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.gate.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def given(self) -> list[str]:
        """The tokens that belong to the requests so far."""
        return [f"{self.prefix}{n + 1}" for n in range(len(self.requests))]

    def answer(self, fields: Fields) -> Answer:
        """What the request gets; it is recorded."""
        with self._lock:
            self.requests.append(fields)
            turn = len(self.requests)
        self.gate.wait(2 * PATIENCE_SECONDS)
        if self.answers:
            answer = self.answers[min(turn, len(self.answers)) - 1]
            return answer(fields) if callable(answer) else answer
        return 200, self.token(turn)

    def token(self, turn: int) -> dict[str, Any]:
        return {
            "access_token": f"{self.prefix}{turn}",
            "token_type": "Bearer",
            "expires_in": self.lifetime,
        }


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        text = self.rfile.read(size).decode()
        fields = dict(parse_qsl(text, keep_blank_values=True))
        status, body = self.server.tokens.answer(fields)  # type: ignore[attr-defined]
        self.send_response(status)
        if isinstance(body, bytes):
            data = body
            self.send_header("Content-Encoding", "gzip")
        else:
            data = (body if isinstance(body, str) else json.dumps(body)).encode()
        if 300 <= status < 400:
            self.send_header("Location", body)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        with suppress(OSError):  # whoever asked has given up
            self.end_headers()
            self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing on the console."""
