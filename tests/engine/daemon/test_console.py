"""The log on a console: what nobody reads there holds up nobody."""

from __future__ import annotations

import logging
import os
import pty
import sys
import threading

import pytest
from waiting import PATIENCE_SECONDS, wait_until

from collective.maildrophost.engine.daemon.console import LEFT_OUT, Console

MANY = 2000
"""Lines of a hundred characters: more than a pipe takes."""
MORE = 1 << 20


@pytest.fixture
def console(request):
    """A logger that writes to a pipe or terminal, and the end that is read from."""
    reading, writing = getattr(request, "param", os.pipe)()
    os.set_blocking(reading, False)
    with open(reading, "rb", 0) as end, open(writing, "w") as stream:
        logger = logging.Logger("maildrop")
        logger.addHandler(Console(stream))
        yield logger, end


def log_many(logger):
    for number in range(MANY):
        logger.info("%d %s", number, "x" * 100)


def typed_at():
    """A terminal from which something could be read."""
    terminal, program = pty.openpty()
    os.write(terminal, b"y\n")
    return terminal, program


@pytest.mark.parametrize("console", [os.pipe, pty.openpty, typed_at], indirect=True)
def test_a_console_that_nobody_reads_holds_nobody(console):
    logger, _ = console
    logging_it = threading.Thread(target=log_many, args=(logger,), daemon=True)
    logging_it.start()
    logging_it.join(PATIENCE_SECONDS)
    assert not logging_it.is_alive()


def test_who_reads_again_is_told_how_much_is_missing(console):
    logger, end = console
    log_many(logger)
    shown = end.read(MORE).count(b"\n")
    logger.info("again")
    assert end.read(MORE).decode() == LEFT_OUT % (MANY - shown) + "again\n"


def test_a_long_line_is_shown_whole(console):
    logger, end = console
    text = "x" * 30_000
    logger.info(text)
    assert end.read(MORE).decode() == f"{text}\n"


@pytest.mark.parametrize("console", [pty.openpty], indirect=True)
def test_a_terminal_shows_every_line(console):
    logger, end = console
    shown = bytearray()

    def all_of_it():
        shown.extend(end.read(MORE) or b"")
        return shown == b"one\r\n" + b"x" * 1000 + b"\r\n"

    logger.info("one\n%s", "x" * 1000)
    wait_until(all_of_it, what="that the terminal shows it")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere pipes have no packets")
@pytest.mark.parametrize("console", [lambda: os.pipe2(os.O_DIRECT)], indirect=True)
def test_a_line_goes_into_a_pipe_as_one_piece(console):
    """Other programs that write there would have theirs amid it otherwise."""
    logger, end = console
    text = "x" * 1000
    logger.info("%s\n%s", text, text)
    assert end.read(MORE).decode() == f"{text}\n{text}\n"


def test_what_is_taken_octet_by_octet_is_shown_whole(console, monkeypatch):
    logger, end = console
    write = os.write
    monkeypatch.setattr(os, "write", lambda where, octets: write(where, octets[:1]))
    logger.info("one\ntwo")
    assert end.read(MORE) == b"one\ntwo\n"


def test_what_cannot_be_encoded_is_shown_in_escapes(console):
    logger, end = console
    logger.info("\ud800")
    assert end.read(MORE) == b"\\ud800\n"


def test_a_reader_that_is_gone_hurts_nobody(console):
    logger, end = console
    end.close()
    logger.info("anybody there?")


def test_a_line_that_cannot_be_formatted_is_told_and_hurts_nobody(console, capsys):
    logger, end = console
    logger.info("%d", "no number")
    logger.info("the next")
    assert end.read(MORE) == b"the next\n"
    assert "'no number'" in capsys.readouterr().err
