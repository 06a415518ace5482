"""The text of a configuration file, read as assignments the way a shell would."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..wording import Wording, _

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_EXPORT = re.compile(r"^export[ \t]+(?=[A-Za-z_])")
_REFERENCE = re.compile(r"\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})")
_RAW_START = re.compile(r"[rR]['\"]")
"""infrae's recipe wrote every text like this, for Python to read."""
# A backslash before a quote keeps it from ending the string, and stays in the string
# (Python's reference, 2.4.1).
_RAW_STRING = re.compile(
    r"""[rR](?P<quote>\"{3}|'{3}|["'])(?P<text>(?:\\.|(?!(?P=quote))[^\\])*)(?P=quote)"""
)
_PYTHON_STRING = re.compile(r"[uUrRbBfF]{1,2}['\"]")
_BLANKS = " \t"
_ENDS_WORD = "#;&|<>()"  # a shell takes what follows these for something else


class TextError(ValueError):
    """A line that is no assignment; it never quotes the value, which may be secret."""

    def __init__(self, line: int, name: str | None, expected: Wording) -> None:
        super().__init__(expected)
        self.line = line
        self.name = name
        self.expected = expected


@dataclass(frozen=True)
class Reference:
    """``$NAME`` or ``${NAME}``; ``written`` is how the file has it."""

    name: str
    written: str


@dataclass(frozen=True)
class Word:
    """A value before its references are expanded.

    Its pieces of text mean themselves. ``bare`` tells that no part of it was quoted;
    ``shell_differs`` that a shell would run or replace something in it that stays as
    it is here.
    """

    pieces: tuple[str | Reference, ...]
    bare: bool
    shell_differs: bool


@dataclass(frozen=True)
class Assignment:
    """One ``NAME=value`` line; ``line`` counts from 1."""

    line: int
    name: str
    word: Word


def read_assignments(text: str) -> Iterator[Assignment]:
    """Every assignment in order; TextError at the first line that is not one."""
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.strip(" \t\r")
        if stripped and not stripped.startswith("#"):
            if "\r" in stripped:
                expected = _("expected lines that end in LF or CRLF")
                raise TextError(number, None, expected)
            yield _assignment(number, stripped)


def expand(word: Word, lookup: Callable[[str], str | None]) -> tuple[str, bool]:
    """The text with each reference replaced; one that `lookup` does not know is kept.

    With it, whether a shell would make something else of the word.
    """
    parts: list[str] = []
    shell_differs = word.shell_differs
    for piece in word.pieces:
        if isinstance(piece, str):
            parts.append(piece)
            continue
        value = lookup(piece.name)
        parts.append(piece.written if value is None else value)
        shell_differs = shell_differs or value is None
    return "".join(parts), shell_differs


def _assignment(number: int, line: str) -> Assignment:
    line = _EXPORT.sub("", line)
    name = _NAME.match(line)
    if name is None:
        expected = _("expected NAME=value, or # before a comment")
        raise TextError(number, None, expected)
    option, rest = name.group(), line[name.end() :]
    if not rest.startswith("="):
        raise TextError(number, option, _without_equal_sign(rest))
    value = rest[1:]
    if value[:1] and value[0] in _BLANKS and not value.lstrip(_BLANKS).startswith("#"):
        raise TextError(number, option, _NO_BLANKS)
    if _PYTHON_STRING.match(value) and not _RAW_START.match(value):
        raise TextError(number, option, _("expected the quote right after ="))
    return Assignment(number, option, _Reader(number, option, value).word())


_NO_BLANKS = _("expected no blank before or after =, so that a shell can read the file")


def _without_equal_sign(rest: str) -> Wording:
    if rest.lstrip(_BLANKS).startswith("="):
        return _NO_BLANKS
    return _("expected NAME=value, a name of letters, digits and _")


class _Reader:
    """Reads one value from its first character to the end of its line."""

    def __init__(self, line: int, name: str, text: str) -> None:
        self.line = line
        self.name = name
        self.text = text
        self.position = 0
        self.pieces: list[str | Reference] = []
        self.bare = True
        self.shell_differs = False

    def word(self) -> Word:
        if _RAW_START.match(self.text):
            self._raw_string()
        else:
            self._shell_word()
        return Word(tuple(self.pieces), self.bare, self.shell_differs)

    def _raw_string(self) -> None:
        self.bare = False
        match = _RAW_STRING.match(self.text)
        if match is None:
            raise self._unclosed(self.text[1])
        self.pieces.append(match["text"])
        self.position = match.end()
        self._only_a_comment_may_follow()

    def _shell_word(self) -> None:
        while self.position < len(self.text):
            character = self.text[self.position]
            if character in _BLANKS:
                self._only_a_comment_may_follow()
                break
            if character == "'":
                self._single_quoted()
            elif character == '"':
                self._double_quoted()
            else:
                self._unquoted(character)

    def _only_a_comment_may_follow(self) -> None:
        rest = self.text[self.position :].lstrip(_BLANKS)
        if rest and not rest.startswith("#"):
            raise self._error(
                _(
                    "expected only a # comment after the value; "
                    "a value with blanks needs quotes"
                )
            )

    def _single_quoted(self) -> None:
        self.bare = False
        end = self.text.find("'", self.position + 1)
        if end < 0:
            raise self._unclosed("'")
        self.pieces.append(self.text[self.position + 1 : end])
        self.position = end + 1

    def _double_quoted(self) -> None:
        self.bare = False
        self.position += 1
        while self.position < len(self.text):
            character = self.text[self.position]
            if character == '"':
                self.position += 1
                return
            if character == "\\" and self.text[self.position + 1 :][:1] in set('"\\$`'):
                self.pieces.append(self.text[self.position + 1])
                self.position += 2
            else:
                self._expandable(character)
        raise self._unclosed('"')

    def _unquoted(self, character: str) -> None:
        if character in _ENDS_WORD and not (character == "#" and self.position):
            raise self._error(
                _(
                    "expected quotes around a value with ${character} in it",
                    mapping={"character": character},
                )
            )
        if character == "\\":
            if self.position + 1 == len(self.text):
                raise self._error(_("expected the whole value on one line"))
            self.pieces.append(self.text[self.position + 1])
            self.position += 2
        else:
            self._expandable(character)

    def _expandable(self, character: str) -> None:
        reference = _REFERENCE.match(self.text, self.position)
        if reference is None:
            self.pieces.append(character)
            following = self.text[self.position + 1 : self.position + 2]
            self.shell_differs |= character == "`" or (
                character == "$" and bool(re.match(r"[\w({@*#?$!-]", following))
            )
            self.position += 1
        else:
            name = reference.group(1) or reference.group(2)
            self.pieces.append(Reference(name, reference.group()))
            self.position = reference.end()

    def _unclosed(self, quote: str) -> TextError:
        return self._error(
            _(
                "expected a closing ${quote} on the same line",
                mapping={"quote": quote},
            )
        )

    def _error(self, expected: Wording) -> TextError:
        return TextError(self.line, self.name, expected)
