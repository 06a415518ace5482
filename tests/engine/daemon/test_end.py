"""Why a daemon has ended is in its log, whatever else goes wrong at its end."""

from __future__ import annotations

import sys

# The daemon with a part that meets what nobody has thought of.
BROKEN = """
import sys
from collective.maildrophost.engine.cli import main
from collective.maildrophost.engine.daemon import clockwatch

def broken(*arguments):
    raise RuntimeError("some words of a mail")

clockwatch.pull_back = broken
sys.exit(main(sys.argv[1:]))
"""


def test_an_unexpected_error_is_told_with_its_place_and_without_its_words(site):
    site.program = (sys.executable, "-c", BROKEN)
    process = site.start()
    process.communicate(timeout=20)
    assert process.returncode == 1
    assert site.log_lines("the daemon ends: unexpected RuntimeError")
    assert "in broken" in site.log
    assert "some words" not in site.log
