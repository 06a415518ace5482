"""What a relay can do, according to its EHLO reply."""

from __future__ import annotations

from dataclasses import dataclass, field

from .replies import Reply


@dataclass(frozen=True)
class Capabilities:
    """SMTP service extensions: keyword in upper case -> its parameters.

    `extended` is False where the relay has refused EHLO: that an extension is missing
    then does not tell that the relay lacks it.
    """

    extensions: dict[str, str] = field(default_factory=dict)
    extended: bool = True

    @classmethod
    def of(cls, reply: Reply) -> Capabilities:
        """The capabilities in an EHLO reply (RFC 5321 section 4.1.1.1)."""
        extensions: dict[str, str] = {}
        for line in reply.lines[1:]:
            # "AUTH=LOGIN PLAIN" is what servers said before RFC 2554; some still do.
            keyword, _, parameters = line.strip().replace("=", " ", 1).partition(" ")
            known = extensions.get(keyword.upper(), "")
            extensions[keyword.upper()] = f"{known} {parameters.strip()}".strip()
        return cls(extensions)

    def offers(self, keyword: str) -> bool:
        return keyword in self.extensions

    @property
    def size_limit(self) -> int:
        """The largest message in octets, 0 for no limit known (RFC 1870)."""
        limit = self.extensions.get("SIZE", "").partition(" ")[0]
        return int(limit) if limit.isascii() and limit.isdigit() else 0

    @property
    def auth_mechanisms(self) -> tuple[str, ...]:
        """SASL mechanisms in upper case, in the relay's order (RFC 4954)."""
        return tuple(self.extensions.get("AUTH", "").upper().split())


HELO_ONLY = Capabilities(extended=False)
