"""One request for a token over HTTP (Authlib on requests, the extra `oauth`)."""

# Rules of this file:
# - Authlib is imported when the first token is asked for: it takes longer to load than
#   all of the daemon.
# - The endpoint is always verified, by the public authorities and MAILDROP_TLS_CA_FILE.
#   MAILDROP_TLS_VERIFY=0 is about the relay.
# - No redirect is followed: it would carry the secret to another place.
# - Each read has a time limit, and so has the whole answer, which could come byte by
#   byte. Over http:// (only to this machine) the whole answer has none.
# - Of an answer no more is read, and unpacked, than a token can have: half a megabyte
#   of gzip can become a gigabyte.
# - A proxy from the environment (HTTPS_PROXY) is only the way there: all of this holds.
# - What the endpoint says is shown without anything that it was told in confidence.

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ..config.values import LOOPBACK
from ..oneline import on_one_line
from ..secrets import Secret
from ..secrets.masking import hide
from .fault import TokenFault
from .grants import ClientCredentials, Grant, RefreshToken, ServiceAccount

SECONDS = (10.0, 20.0)
"""To connect, and for each read of the answer."""
WHOLE_SECONDS = 30.0
"""For the request with its answer; a read that has begun by then still has its time."""
UNKNOWN_LIFETIME_SECONDS = 600.0
"""If the endpoint does not say (RFC 6749 section 5.1 only recommends it)."""
MOST_CHARACTERS = 400
MOST_OCTETS = 1_000_000
"""Of an answer; one with a token has a few thousand."""
CONFIDENTIAL = ("assertion", "client_secret", "refresh_token")
PASSING = ("server_error", "slow_down", "temporarily_unavailable")
"""Errors (RFC 6749 section 4.1.2.1) that go away by themselves."""
_TUNNEL_STATUS = re.compile("Tunnel connection failed: ([0-9]{3})")  # of http.client


@dataclass(frozen=True)
class Issued:
    """What the endpoint gave; `refresh_token` is empty when the old one stays."""

    access_token: Secret
    lifetime_seconds: float
    refresh_token: Secret


@dataclass(frozen=True)
class Endpoint:
    """Where tokens come from; `ca_file` is trusted beside the public authorities."""

    url: str
    scope: str
    ca_file: str = ""

    def ask(self, grant: Grant) -> Issued:
        """A token for `grant`; TokenFault. Blocks for less than a minute."""
        try:
            return _issued(self._ask(grant))
        except TokenFault:
            raise
        except Exception as error:
            raise self._fault(error) from None

    def _ask(self, grant: Grant) -> Any:
        session = self._session(grant)
        with session:
            if isinstance(grant, ServiceAccount):
                return session.refresh_token()
            if isinstance(grant, RefreshToken):
                shown = grant.refresh_token.reveal()
                return session.refresh_token(self.url, refresh_token=shown)
            return session.fetch_token(self.url, grant_type="client_credentials")

    def _session(self, grant: Grant) -> Any:
        from authlib.integrations.requests_client import AssertionSession, OAuth2Session

        if isinstance(grant, ServiceAccount):
            session = AssertionSession(
                self.url,
                grant.issuer,
                grant.subject,
                # Google wants the scope within what is signed.
                claims={"scope": self.scope},
                header={"alg": "RS256", "kid": grant.key_id},
                key=grant.signing_key(),
                default_timeout=SECONDS,
            )
        else:
            session = OAuth2Session(
                grant.client_id,
                grant.client_secret.reveal(),
                # In the body: Basic leaves open how a secret with a "%" is written.
                token_endpoint_auth_method=_auth_method(grant),
                scope=self.scope,
                default_timeout=SECONDS,
            )
        # A server on this machine is not asked through a proxy.
        session.trust_env = urlsplit(self.url).hostname not in LOOPBACK
        session.headers["Accept-Encoding"] = "identity"
        session.hooks["response"] += [_limit, _check]
        session.mount("https://", _adapter(self._context()))
        return session

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.sslsocket_class = _socket_until(time.monotonic() + WHOLE_SECONDS)
        if self.ca_file:
            self._trust(context)
        return context

    def _trust(self, context: ssl.SSLContext) -> None:
        try:
            context.load_verify_locations(self.ca_file)
        except OSError as error:  # ssl.SSLError is one
            reason = f"MAILDROP_TLS_CA_FILE {self.ca_file}: {error.strerror}"
            raise TokenFault(_line(reason), permanent=True) from None

    def _fault(self, error: Exception) -> TokenFault:
        host, cause = urlsplit(self.url).netloc, _root(error)
        if _is_of_a_proxy(error):
            reason = _tunnel_status(cause) or _words_of(cause)
            return TokenFault(f"{host} through a proxy: {reason}", permanent=False)
        if isinstance(cause, ssl.SSLCertVerificationError):
            reason = f"its certificate does not verify: {cause.verify_message}"
            return TokenFault(f"{host}: {_line(reason)}", permanent=True)
        if isinstance(cause, TimeoutError):
            return TokenFault(f"{host}: no answer in time", permanent=False)
        if isinstance(cause, OSError):
            return TokenFault(f"{host}: {_words_of(cause)}", permanent=False)
        # The type alone: its text may quote what was sent.
        reason = f"no token came of it ({type(error).__name__})"
        return TokenFault(f"{host}: {reason}", permanent=True)


def _socket_until(deadline: float) -> type[ssl.SSLSocket]:
    """Sockets from which nothing is read after `deadline` (of the monotonic clock)."""

    class Socket(ssl.SSLSocket):
        def recv_into(self, *arguments: Any, **options: Any) -> int:
            if time.monotonic() > deadline:
                raise TimeoutError
            return super().recv_into(*arguments, **options)

    return Socket


def _adapter(context: ssl.SSLContext) -> Any:
    """What requests sends with, to the endpoint itself or through a proxy."""
    from requests.adapters import HTTPAdapter

    adapter: Any = HTTPAdapter()
    adapter.init_poolmanager(1, 1, ssl_context=context)
    # Else what goes through a proxy has a context of its own.
    adapter.proxy_manager_for = partial(adapter.proxy_manager_for, ssl_context=context)
    return adapter


def _auth_method(grant: ClientCredentials | RefreshToken) -> str:
    return "client_secret_post" if grant.client_secret else "none"


class _AtMost:
    """A response of urllib3 from which requests gets MOST_OCTETS, or TokenFault."""

    def __init__(self, response: Any) -> None:
        self._response = response

    def __getattr__(self, name: str) -> Any:
        return getattr(self._response, name)

    def stream(self, amount: int, **options: Any) -> Iterator[bytes]:
        """The octets as requests wants them, of which `amount` are read at a time."""
        left = MOST_OCTETS
        for octets in self._response.stream(amount, **options):
            left -= len(octets)
            if left < 0:
                reason = f"the answer has more than {MOST_OCTETS} bytes"
                raise TokenFault(reason, permanent=True)
            yield octets


def _limit(response: Any, *_args: object, **_options: object) -> None:
    """Called by requests with every response before it is read."""
    response.raw = _AtMost(response.raw)


def _check(response: Any, *_args: object, **_options: object) -> None:
    """Called by requests with every response: TokenFault unless it is a good one."""
    status = response.status_code
    error, words = _said(response)
    if status == 200 and not error:
        return
    host = urlsplit(response.request.url).netloc
    passing = status >= 500 or status in (408, 429) or error in PASSING
    if 300 <= status < 400:
        words = "it points elsewhere, is MAILDROP_OAUTH_TOKEN_URL right?"
    text = f"{host}: HTTP {status} {error} {words}"
    raise TokenFault(_line(hide(text, _told(response.request))), permanent=not passing)


def _said(response: Any) -> tuple[str, str]:
    """The error and its description (RFC 6749 section 5.2), "" without them."""
    try:
        said = response.json()
    except ValueError:
        return "", ""
    if not isinstance(said, dict):
        return "", ""
    return str(said.get("error") or ""), str(said.get("error_description") or "")


def _told(request: Any) -> list[str]:
    """What the endpoint was told in confidence with a request."""
    fields = parse_qs(request.body)
    return [value for name in CONFIDENTIAL for value in fields.get(name, ())]


def _issued(answer: Any) -> Issued:
    token = answer.get("access_token")
    if not token or not isinstance(token, str) or not token.isprintable():
        raise TokenFault("the answer has no access token in it", permanent=True)
    refresh_token = answer.get("refresh_token")
    if not isinstance(refresh_token, str):
        refresh_token = ""
    if not refresh_token.isprintable():  # It has to be one line of a file.
        raise TokenFault("the answer has a refresh token that is none", permanent=True)
    return Issued(
        Secret(token), _seconds(answer.get("expires_in")), Secret(refresh_token)
    )


def _seconds(said: object) -> float:
    try:
        seconds = float(said)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return UNKNOWN_LIFETIME_SECONDS
    return seconds if seconds > 0 else UNKNOWN_LIFETIME_SECONDS


def _is_of_a_proxy(error: Exception) -> bool:
    """Whether it was the proxy that could not be reached, or did not let us through."""
    from requests.exceptions import ProxyError

    return isinstance(error, ProxyError)


def _tunnel_status(cause: BaseException) -> str:
    """What the proxy answered; not in its own words, which may repeat its password."""
    found = _TUNNEL_STATUS.match(str(cause))
    return f"HTTP {found[1]}" if found else ""


def _words_of(cause: BaseException) -> str:
    return _line(getattr(cause, "strerror", None) or type(cause).__name__)


def _root(error: BaseException) -> BaseException:
    """The socket's or TLS's own error within those of the HTTP libraries."""
    found = error
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, OSError):
            found = inner
        inner = inner.__cause__ or inner.__context__ or _handed_on(inner)
    return found


def _handed_on(error: BaseException) -> BaseException | None:
    """The error that it was made from, where no cause tells, as behind a proxy."""
    found = (each for each in error.args if isinstance(each, BaseException))
    return next(found, None)


def _line(text: str) -> str:
    return on_one_line(text)[:MOST_CHARACTERS]
