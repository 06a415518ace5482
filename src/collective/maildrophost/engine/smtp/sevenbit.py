"""Messages re-encoded for a relay that takes seven bits only."""

# Rules of this file (RFC 6152 section 3, RFC 2045 section 6):
# - Only what holds octets above 127 changes, and only its transfer encoding; a part
#   that is seven bits already keeps its bytes, signed ones above all.
# - Raw octets in headers are taken for UTF-8, else for Latin-1, and become encoded
#   words (RFC 2047).

from __future__ import annotations

import base64
import quopri
from email import message_from_bytes, policy
from email.generator import BytesGenerator
from email.header import Header
from email.message import Message
from io import BytesIO

_HIGH_OCTETS = bytes(range(128, 256))
_KEEP_LINES = policy.compat32.clone(max_line_length=0)


def to_seven_bit(content: bytes) -> bytes:
    """The same message in ASCII, with LF line ends."""
    message = message_from_bytes(content, policy=_KEEP_LINES)
    for part in message.walk():
        if part.is_multipart():
            _encode_container(part)
        elif not str(part.get_payload()).isascii():
            _encode_body(part)
        _encode_headers(part)
    if "mime-version" not in message:
        message["MIME-Version"] = "1.0"
    written = BytesIO()
    BytesGenerator(written, mangle_from_=False, policy=_KEEP_LINES).flatten(message)
    return written.getvalue()


def _encode_container(part: Message) -> None:
    if "content-transfer-encoding" in part:
        part.replace_header("Content-Transfer-Encoding", "7bit")
    # What stands around the parts is shown to nobody.
    part.preamble = part.preamble and _question_marks(part.preamble)
    part.epilogue = part.epilogue and _question_marks(part.epilogue)


def _encode_body(part: Message) -> None:
    body = part.get_payload(decode=True)
    assert isinstance(body, bytes)  # typeshed: this is no container
    if part.get_content_maintype() == "text":
        _name_charset(part, body)
    encoding, encoded = _encoded(body, part.get_content_maintype() == "text")
    del part["Content-Transfer-Encoding"]
    part["Content-Transfer-Encoding"] = encoding
    part.set_payload(encoded.decode("ascii"))


def _encoded(body: bytes, text: bool) -> tuple[str, bytes]:
    high = len(body) - len(body.translate(None, _HIGH_OCTETS))
    # Above a quarter of such octets base64 is the shorter one.
    if text and high * 4 <= len(body) and b"\0" not in body:
        # Line ends are the wire's business; an encoded CR would stay in the text.
        return "quoted-printable", quopri.encodestring(body.replace(b"\r\n", b"\n"))
    return "base64", base64.encodebytes(body)


def _name_charset(part: Message, body: bytes) -> None:
    if part.get_param("charset") is None:
        part.set_param("charset", _charset(body))


def _encode_headers(part: Message) -> None:
    headers = [(name, str(value)) for name, value in part.raw_items()]
    if all(value.isascii() for _, value in headers):
        return
    for name, _ in headers:
        del part[name]
    for name, value in headers:
        part[name] = value if value.isascii() else _encoded_words(name, value)


def _encoded_words(name: str, value: str) -> str:
    raw = value.encode("ascii", "surrogateescape")
    text = "".join(raw.decode(_charset(raw)).splitlines())
    try:
        folded = policy.default.header_factory(name, text).fold(policy=policy.default)
    except Exception:
        # The email package stumbles over some headers in ways it does not document.
        return Header(text, "utf-8").encode()
    return str(folded).partition(":")[2].strip()


def _charset(raw: bytes) -> str:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return "iso-8859-1"
    return "utf-8"


def _question_marks(text: str) -> str:
    return text.encode("ascii", "replace").decode("ascii")
