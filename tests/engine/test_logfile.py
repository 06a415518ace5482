"""Each line is in the log's file, or on standard error where the file takes none."""

from __future__ import annotations

import contextlib
import io
import logging
import threading

import pytest
from waiting import PATIENCE_SECONDS

from collective.maildrophost.engine.logfile import Line, LogFile, together


@pytest.fixture
def logger():
    """A logger without a file; see `log_to`."""
    logger = logging.Logger("maildrop")
    yield logger
    for handler in logger.handlers:
        with contextlib.suppress(OSError):
            handler.close()


def log_to(logger, path):
    handler = LogFile(path)
    handler.setFormatter(Line())
    logger.addHandler(handler)


def texts(output):
    """What each line says, without time, level and logger."""
    return [line.rpartition(" maildrop: ")[2] for line in output.splitlines()]


FULL = (
    "the log goes here, its file can't be written: /dev/full: No space left on device"
)


def test_on_a_full_disk_each_line_is_one_on_standard_error(logger, capsys):
    log_to(logger, "/dev/full")
    for number in range(3):
        logger.error("id=%d", number)
    assert texts(capsys.readouterr().err) == [FULL, "id=0", "id=1", "id=2"]


def test_on_a_full_disk_many_lines_logged_together_are_all_on_standard_error(
    logger, capsys
):
    log_to(logger, "/dev/full")
    lines = [f"id={number} {'x' * 100}" for number in range(200)]
    with together(logger):
        for line in lines:
            logger.info(line)
    assert texts(capsys.readouterr().err) == [FULL, *lines]


class OutOfMemory(io.StringIO):
    def write(self, text):
        raise MemoryError


def test_an_error_of_the_file_holds_up_nobody_who_logs(logger, tmp_path, capsys):
    log_to(logger, tmp_path / "maildrop.log")
    (handler,) = logger.handlers
    handler.stream, stream = OutOfMemory(), handler.stream
    with together(logger):
        logger.error("id=1")
    handler.stream = stream
    other = threading.Thread(target=logger.error, args=("id=2",), daemon=True)
    other.start()
    other.join(PATIENCE_SECONDS)
    assert texts((tmp_path / "maildrop.log").read_text()) == ["id=2"]
    told = texts(capsys.readouterr().err)
    assert told[0].endswith("maildrop.log: MemoryError")
    assert told[1:] == ["id=1"]


def test_a_new_file_is_used_though_the_disk_of_the_old_one_is_full(
    logger, tmp_path, capsys
):
    path = tmp_path / "maildrop.log"
    path.symlink_to("/dev/full")
    log_to(logger, path)
    logger.error("one")
    path.unlink()
    logger.error("two")
    assert texts(path.read_text()) == ["two"]
    path.unlink()
    path.symlink_to("/dev/full")
    capsys.readouterr()
    logger.error("three")
    first, second = texts(capsys.readouterr().err)
    assert (first.startswith("the log goes here"), second) == (True, "three")


def test_a_line_that_cannot_be_formatted_costs_no_other(logger, tmp_path, capsys):
    path = tmp_path / "maildrop.log"
    log_to(logger, path)
    with together(logger):
        logger.info("one")
        logger.info("%d", "no number")
        logger.info("two \udcff")
    assert texts(path.read_text()) == ["one", r"two \udcff"]
    assert "no number" in capsys.readouterr().err


def test_a_traceback_that_utf_8_cannot_encode_is_written_escaped(logger, tmp_path):
    path = tmp_path / "maildrop.log"
    log_to(logger, path)
    try:
        raise ValueError("no \udcff")
    except ValueError:
        logger.exception("broken")
    assert r"ValueError: no \udcff" in path.read_text()
