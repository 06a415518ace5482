"""What the demo prints."""

from __future__ import annotations

from pathlib import Path

from .catcher import Mail
from .contactform import Answer
from .daemon import Daemon
from .failure import DemoFailed
from .plone import Plone
from .programs import MAILDROPCTL, ROOT

LOG_LINES = 30


def step(text: str) -> None:
    print(f"demo: {text}", flush=True)


def arrival(answer: Answer, arrived: Mail) -> None:
    page_ms = answer.page_seconds * 1000
    mail_ms = (arrived.arrived - answer.asked) * 1000
    step("a visitor sent the contact form")
    step(f"  the page took {page_ms:.0f} ms")
    step(f"  the mail arrived {mail_ms:.0f} ms after the form was sent")
    mail(arrived)


def mail(arrived: Mail) -> None:
    recipients = ", ".join(arrived.recipients)
    step(f"mail from {arrived.sender or '<>'} to {recipients}:")
    for line in arrived.text.rstrip().splitlines():
        print(f"    {_printable(line)}")
    print(flush=True)


def _printable(line: str) -> str:
    return "".join(c if c.isprintable() or c == "\t" else "?" for c in line)


def places(plone: Plone, daemon: Daemon) -> None:
    site = f"{plone.url}{plone.site}"
    program = MAILDROPCTL.relative_to(ROOT)
    print(
        f"""\
    Site                    {site}
    Contact form            {site}/contact-info
    Site setup              {site}/@@overview-controlpanel
    Maildrop Host           {site}/@@maildrophost-controlpanel
      in the ZMI            {site}/MailHost/manage_main
    Login                   {plone.user}, password {plone.password}
    Command line            {program} --config {daemon.configuration} stats
""",
        flush=True,
    )


def failure(failed: DemoFailed, directory: Path) -> None:
    """Why it failed, with the end of every log; before `directory` is removed."""
    for log in sorted([*directory.rglob("*.log"), *directory.rglob("*.out")]):
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        print(f"--- the end of {log.name}")
        print("\n".join(lines[-LOG_LINES:]))
    step(f"FAILED: {failed}")
