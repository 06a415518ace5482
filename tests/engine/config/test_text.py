"""Promises of the file's grammar."""

from __future__ import annotations

import ast
import subprocess
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collective.maildrophost.engine.config import ConfigurationError
from collective.maildrophost.engine.config.text import (
    TextError,
    expand,
    read_assignments,
)

SAFE = st.characters(min_codepoint=32, max_codepoint=126)


def value_of(written: str, **known: str) -> str:
    [assignment] = read_assignments(f"NAME={written}")
    text, _shell_differs = expand(assignment.word, known.get)
    return text


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("plain", "plain"),
        ("", ""),
        (" # only a comment", ""),
        ("plain # comment", "plain"),
        ("a#b", "a#b"),
        ("'single $HOME \\n'", "single $HOME \\n"),
        ('"double" # x', "double"),
        ('"$A/x"', "one/x"),
        ('"${A}x"', "onex"),
        ("$A/x", "one/x"),
        ('"$A"/x', "one/x"),
        ("'it'\\''s'", "it's"),
        (r'"\$A \" \\ \` \n"', r'$A " \ ` \n'),
        ('"""three"""', "three"),
        ("é☃", "é☃"),
        (r"a\ b\'c\\d", r"a b'c\d"),
    ],
)
def test_a_value_is_what_a_shell_makes_of_it(written, value):
    assert value_of(written, A="one") == value
    script = f'A=one\nNAME={written}\nprintf %s "$NAME"'
    shell = subprocess.run(["sh", "-c", script], capture_output=True, text=True)
    assert shell.stdout == value


@pytest.mark.parametrize("written", ['"$B"', "$B", '"${B}"', '"$(touch x)"', '"`id`"'])
def test_nothing_is_run_or_guessed(written):
    [assignment] = read_assignments(f"NAME={written}")
    assert expand(assignment.word, {}.get) == (written.strip('"'), True)


@pytest.mark.parametrize(
    "written",
    [
        'r"/srv/a b"  # old',
        "R'/srv/a b'# old",
        r'''r"pa\\ss"''',
        r'''r"pa\$A"''',
        'r"pa$A${A}`id`"',
        r"r'it\'s'",
        r'''r"a \"b\" c"''',
        'r""',
        'r"""a "b" c"""',
    ],
)
def test_a_raw_string_of_python_is_read_as_an_old_file_has_it(written):
    [assignment] = read_assignments(f"NAME={written}")
    value = expand(assignment.word, {"A": "one"}.get)
    assert value == (ast.literal_eval(written), False)
    assert not assignment.word.bare


def test_a_lone_dollar_is_a_dollar():
    [assignment] = read_assignments('NAME="5$"')
    assert expand(assignment.word, {}.get) == ("5$", False)


def test_export_is_read_as_a_shell_does():
    [assignment] = read_assignments("  export NAME=x")
    assert (assignment.name, assignment.line) == ("NAME", 1)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("NAME =x", "no blank"),
        ("NAME= x", "no blank"),
        ("NAME = 'x'", "no blank"),
        ("NAME", "expected NAME=value"),
        ("NAME+=x", "expected NAME=value"),
        ("=x", "expected NAME=value"),
        ("1NAME=x", "expected NAME=value"),
        ("import os", "expected NAME=value"),
        ("NAME=a b", "quotes"),
        ("NAME=/a;/b", "quotes"),
        ("NAME='x", "closing '"),
        ('NAME="x', 'closing "'),
        ('NAME="x\\"', 'closing "'),
        ('NAME="x" y', "comment"),
        ("NAME=u'x'", "right after ="),
        ("NAME=ur'x'", "right after ="),
        ("NAME=r'x", "closing '"),
        ('NAME=r"x\\"', 'closing "'),
        ('NAME=r"x"y', "comment"),
        ("NAME=x\\", "one line"),
        ("NAME=$(id)", "quotes"),
        ("NAME=x\rB=y", "LF or CRLF"),
    ],
)
def test_a_line_that_is_no_assignment_says_what_was_expected(line, expected):
    with pytest.raises(TextError) as error:
        list(read_assignments(f"# first\n{line}\n"))
    assert error.value.line == 2
    assert expected in error.value.expected


def test_a_wrong_line_is_a_configuration_error(load_text, path):
    with pytest.raises(ConfigurationError) as error:
        load_text("SMTP_PORT = 25\n")
    assert str(error.value) == (
        f"{path}:2: SMTP_PORT: expected no blank before or after =, "
        "so that a shell can read the file"
    )


@given(st.text())
def test_any_text_is_read_or_refused_by_name(text):
    with suppress(TextError):
        for assignment in read_assignments(text):
            expand(assignment.word, {}.get)


@given(st.text(st.characters(exclude_characters="'\n\r", exclude_categories=["Cs"])))
def test_single_quotes_keep_any_text(text):
    assert value_of(f"'{text}'") == text


@given(st.text(SAFE))
def test_double_quotes_keep_any_escaped_text(text):
    escaped = text
    for special in '\\"$`':
        escaped = escaped.replace(special, "\\" + special)
    assert value_of(f'"{escaped}"') == text
