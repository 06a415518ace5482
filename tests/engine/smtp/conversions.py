"""What conversions are asked for, and how a reader sees their result."""

from __future__ import annotations

from email import message_from_bytes, policy

from collective.maildrophost.engine.smtp.needs import Needs

SEVEN_BITS = Needs(seven_bits=True, ascii_headers=True)
SHORT_LINES = Needs(shorter_lines=True)
EVERYTHING = Needs(True, True, True, True)


def parsed(content):
    return message_from_bytes(content, policy=policy.default)


def longest(content):
    lines = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    return max(map(len, lines))


def with_lf(text):
    return text.replace("\r\n", "\n").replace("\r", "\n")
