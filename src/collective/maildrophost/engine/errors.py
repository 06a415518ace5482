"""The base of every exception that this package raises on purpose."""

from __future__ import annotations

from .wording import Wording, verbatim


class MaildropError(Exception):
    """Something a person can act on; its text says what and how."""

    @property
    def wording(self) -> Wording:
        """Its text; it can be translated where it was raised with a `Wording`."""
        given = self.args[0] if self.args else ""
        return given if isinstance(given, Wording) else verbatim(self)
