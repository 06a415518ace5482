"""`make demo`: puts the parts together, shows one mail on its way, clears up."""

from __future__ import annotations

import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from . import report, signals
from .catcher import Catcher
from .contactform import ask
from .daemon import Daemon
from .failure import DemoFailed
from .plone import Plone

MAIL_SECONDS = 30.0


def main(arguments: list[str]) -> int:
    """0 when the mail arrived, 1 when not, 2 for wrong usage."""
    if arguments not in ([], ["once"]):
        print("usage: make demo [DEMO=once]", file=sys.stderr)
        return 2
    try:
        with ExitStack() as parts:
            arrived = _run(parts, stay_up=not arguments)
    except DemoFailed as failure:
        report.step(f"FAILED to clear up: {failure}")
        return 1
    report.step("everything is stopped")
    return 0 if arrived else 1


def _run(parts: ExitStack, stay_up: bool) -> bool:
    """Whether the mail arrived and nothing failed after it."""
    arrived = False
    directory = Path(
        parts.enter_context(tempfile.TemporaryDirectory(prefix="maildrop-demo-"))
    )
    try:
        signals.end_the_demo()
        catcher = _show(parts, directory)
        arrived = True
        if stay_up:
            _stay_up(catcher)
    except signals.Ended as ended:
        report.step(f"{ended}: stopping")
    except DemoFailed as failure:
        report.failure(failure, directory)
    finally:
        signals.ignore()  # what comes now is the clearing up
    return arrived


def _show(parts: ExitStack, directory: Path) -> Catcher:
    catcher = parts.enter_context(Catcher())
    report.step(f"a mail catcher listens on 127.0.0.1:{catcher.port}")
    daemon = parts.enter_context(Daemon(directory / "maildrop", catcher.port))
    report.step(f"the mail daemon: {daemon.start()}")
    report.step("Plone starts and makes a site with the add-on; this takes a moment")
    plone = parts.enter_context(Plone(directory / "plone", daemon.configuration))
    plone.start()
    plone.wait_until_it_answers()
    report.step(f"Plone answers on {plone.url}")

    answer = ask(plone.host, plone.port, plone.site)
    mail = catcher.next(MAIL_SECONDS)
    if mail is None:
        raise DemoFailed(f"no mail arrived within {MAIL_SECONDS:.0f} seconds")
    if answer.question not in mail.text:
        raise DemoFailed("another mail arrived than the one of the page")
    report.arrival(answer, mail)
    report.places(plone, daemon)
    return catcher


def _stay_up(catcher: Catcher) -> None:
    report.step("stays up until Ctrl-C; whatever mail arrives is shown here")
    while True:
        mail = catcher.next(1.0)
        if mail is not None:
            report.mail(mail)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
