"""SASL mechanisms of SMTP AUTH (RFC 4954)."""

# Rules of this file:
# - A mechanism is one class: its name, the initial response (None when the relay
#   speaks first) and its response to a challenge. Nothing in it knows SMTP.
# - STRONGEST_FIRST is the only list of them; a new mechanism is one class and one item.
# - A password is no access token: XOAUTH2, which sends what it has as one, is taken
#   only if the login names it.
# - No repr shows what a mechanism holds.

from __future__ import annotations

from typing import Protocol

from .settings import Login


class Mechanism(Protocol):
    """One way to log in; made for one attempt."""

    name: str

    def __init__(self, login: Login) -> None: ...

    def initial(self) -> bytes | None:
        """What goes with the AUTH command, before base64."""

    def respond(self, challenge: bytes) -> bytes:
        """The answer to a challenge, both without base64."""


class Plain:
    """RFC 4616."""

    name = "PLAIN"

    def __init__(self, login: Login) -> None:
        self._response = "\0".join(("", login.user, login.password.reveal())).encode()

    def initial(self) -> bytes | None:
        return self._response

    def respond(self, challenge: bytes) -> bytes:
        # A relay that overlooks the initial response asks for it.
        return self._response


class LoginMechanism:
    """draft-murchison-sasl-login: the user, then the password, whatever is asked."""

    name = "LOGIN"

    def __init__(self, login: Login) -> None:
        self._answers = [login.user.encode(), login.password.reveal().encode()]

    def initial(self) -> bytes | None:
        return None

    def respond(self, challenge: bytes) -> bytes:
        return self._answers.pop(0) if self._answers else b""


class XOAuth2:
    """An access token instead of a password, as Google and Microsoft want it.

    https://developers.google.com/workspace/gmail/imap/xoauth2-protocol
    """

    name = "XOAUTH2"

    def __init__(self, login: Login) -> None:
        token = login.password.reveal()
        self._response = f"user={login.user}\1auth=Bearer {token}\1\1".encode()

    def initial(self) -> bytes | None:
        return self._response

    def respond(self, challenge: bytes) -> bytes:
        # A challenge gives the reason for a refusal, whose 535 follows an empty answer.
        # It is empty from a relay that has overlooked the initial response.
        return b"" if challenge else self._response


STRONGEST_FIRST: tuple[type[Mechanism], ...] = (Plain, LoginMechanism, XOAuth2)


def choose(login: Login, offered: tuple[str, ...]) -> Mechanism | None:
    """The strongest mechanism that both sides know, within what `login` allows."""
    named = login.mechanism.upper()
    for mechanism in STRONGEST_FIRST:
        wanted = mechanism.name == named if named else mechanism is not XOAuth2
        if wanted and mechanism.name in offered:
            return mechanism(login)
    return None
