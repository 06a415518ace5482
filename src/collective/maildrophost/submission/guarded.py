"""A message that refuses to be written when one of its headers would become several.

Only what is written tells. The email package reads a header anew whenever it is set,
and decodes its encoded words (RFC 2047) each time; MailHost takes addresses apart
before; parts of a signed message are folded in a way of their own. So nobody can tell
beforehand where a line break comes of it, and the package writes one as it stands.

Out of reach is a class of an add-on's own that writes itself by another policy.
"""

from __future__ import annotations

from contextlib import suppress
from copy import copy
from email.errors import HeaderParseError
from email.message import Message
from email.policy import Policy
from functools import lru_cache
from typing import Any

from collective.maildrophost.engine.message import InvalidMessage
from collective.maildrophost.submission.flattening import is_one_header
from collective.maildrophost.submission.headers import one_line


def content(message: Any) -> bytes | str:
    """What is to be queued of a message that MailHost, or an add-on, has written.

    Raises InvalidMessage when it can't be written.
    """
    if not isinstance(message, Message):
        return message
    try:
        return guarded(message).as_bytes()
    except Exception as error:
        # The email package raises errors of every kind for malformed headers.
        raise InvalidMessage(f"the message cannot be written: {error}") from error


def guarded(message: Any) -> Any:
    """The message with such a policy: headers and parts are those of the one given."""
    if not isinstance(message, Message):
        return message
    twin = copy(message)
    twin.policy = _with_guard(message.policy)
    return twin


def _with_guard(policy: Policy) -> Policy:
    if isinstance(policy, _Guard):
        return policy
    return _same(policy, _guarded_class(type(policy)))


def _same(policy: Policy, other: type[Policy]) -> Policy:
    """The policy as one of the other class, made as Policy.clone() does it."""
    twin = object.__new__(other)
    vars(twin).update(vars(policy))
    return twin


@lru_cache(maxsize=16)
def _guarded_class(policy_class: type[Policy]) -> type[Policy]:
    return type(policy_class.__name__, (_Guard, policy_class), {})


class _Guard:
    """What is put before a policy. The parts of a message are written by it, too."""

    def fold_binary(self, name: str, value: Any) -> bytes:
        one_line("name of a header", name)
        # Some line breaks the package finds itself.
        with suppress(HeaderParseError):
            lines: bytes = super().fold_binary(name, value)  # type: ignore[misc]
            if is_one_header(lines):
                return lines
        raise InvalidMessage(f"line break or NUL in the header {name!a}")

    def fold(self, name: str, value: Any) -> str:
        # An add-on, or a message of a class of its own, may write a text first.
        self.fold_binary(name, value)
        return super().fold(name, value)  # type: ignore[misc,no-any-return]

    def __reduce__(self) -> Any:
        # Nobody could find a class made here by its name, should an add-on pickle it.
        return _with_guard, (_same(self, type(self).__bases__[1]),)
