"""A real browser in a real Plone, whose mail a real daemon takes to a real server."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from urllib.parse import urlencode

import pytest
import transaction
from axe_playwright_python.sync_playwright import Axe
from pagescripts import DARK, HURRY, OURS, RENAME_DIRECTORY, RULES, WIDTH
from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright
from plone.app.testing import SITE_OWNER_NAME, SITE_OWNER_PASSWORD
from plone.registry.interfaces import IRegistry
from servers.catcher import Catcher
from waiting import PATIENCE_SECONDS, wait_until
from zope.component import getUtility
from zope.component.hooks import setSite

from collective.maildrophost.engine.message import compose
from collective.maildrophost.engine.queue import all_daemons, enqueue, list_messages

HERE = Path(__file__).parent
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SIZES = {
    "desktop": {"width": 1280, "height": 900},
    "phone": {"width": 390, "height": 844},
}
PANEL = "@@maildrophost-controlpanel"
PICTURE_PIXELS = 1500
SCREENSHOTS = os.environ.get("MAILDROP_SCREENSHOTS")


def pytest_collection_modifyitems(items):
    for item in items:
        without = CHROMIUM is None and "CI" not in os.environ
        if without and HERE in Path(item.path).parents:
            item.add_marker(pytest.mark.skip(reason="there is no Chromium"))


def pytest_terminal_summary(terminalreporter):
    if CHROMIUM is None:
        terminalreporter.section("THE BROWSER TESTS DID NOT RUN", red=True, bold=True)
        terminalreporter.line(
            "There is no Chromium on this machine: what people see is not tested. "
            "Install it (Debian: apt-get install chromium), then run again."
        )


@pytest.fixture(scope="session")
def chromium():
    """One browser for all tests; each page has a profile of its own."""
    assert CHROMIUM, "install Chromium: apt-get install chromium"
    expect.set_options(timeout=PATIENCE_SECONDS * 1000)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=CHROMIUM, headless=True, args=ARGUMENTS
        )
        yield running
        running.close()


@pytest.fixture
def catcher():
    with Catcher(login=("site", "tell nobody")) as running:
        yield running


@pytest.fixture
def configuration(acceptance_test, catcher):
    """The site's configuration, with our server as its relay."""
    path = acceptance_test["maildrop_configuration"]
    before = path.read_text()
    path.write_text(
        f'{before}SMTP_HOST="127.0.0.1"\nSMTP_PORT={catcher.port}\n'
        'MAILDROP_LOGIN="site"\nMAILDROP_PASSWORD="tell nobody"\n'
        "MAILDROP_INTERVAL=1\nMAILDROP_ALLOW_CLEARTEXT_LOGIN=1\n"
    )
    yield path
    path.write_text(before)


@pytest.fixture
def queue(acceptance_test):
    return acceptance_test["maildrop_queue"]


@pytest.fixture
def states(queue):
    """The states of all messages that are not sent."""

    def now():
        with queue.read() as tx:
            return sorted(each.state.value for each in list_messages(tx))

    return now


@dataclass
class Daemon:
    """A daemon in a process of its own, started and stopped by a test."""

    configuration: Path
    queue: object
    process: subprocess.Popen | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "collective.maildrophost.engine.cli"]
        self.process = subprocess.Popen(
            [*command, "--config", str(self.configuration), "run"],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(self._beats, what="the daemon's first heartbeat")

    def _beats(self) -> bool:
        with self.queue.read() as tx:
            return any(each.pid == self.process.pid for each in all_daemons(tx))

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(PATIENCE_SECONDS)
            self.process = None


@pytest.fixture
def daemon(configuration, queue) -> Iterator[Daemon]:
    found = Daemon(configuration, queue)
    yield found
    found.stop()


@pytest.fixture
def portal(acceptance_test, configuration):
    """The site, with addresses to send from; committed, as the browser needs it."""
    site = acceptance_test["portal"]
    setSite(site)
    registry = getUtility(IRegistry)
    registry["plone.email_from_name"] = "The site"
    registry["plone.email_from_address"] = "site@example.org"
    transaction.commit()
    return site


@dataclass
class Visitor:
    """A person at a browser; what goes wrong on a page is remembered."""

    page: Page
    base: str
    size: str
    home: Path
    wrong: list[str] = field(default_factory=list)

    def open(self, view: str = "", **query: str) -> None:
        """Open a page of the control panel; "" is its first one."""
        suffix = f"?{urlencode(query)}" if query else ""
        name = f"{PANEL}-{view}" if view else PANEL
        self.page.goto(f"{self.base}/{name}{suffix}")

    def log_in(self) -> None:
        self.page.goto(f"{self.base}/login")
        self.page.fill('[name="__ac_name"]', SITE_OWNER_NAME)
        self.page.fill('[name="__ac_password"]', SITE_OWNER_PASSWORD)
        self.page.click('[name="buttons.login"]')
        expect(self.page.locator("#edit-zone")).to_be_attached()

    def press(self, name: str) -> None:
        """Press the button with that name."""
        content = self.page.locator("#content")
        content.get_by_role("button", name=name, exact=True).click()

    def sees(self, text: str) -> None:
        """Wait until the text is on the page."""
        expect(self.page.locator("body")).to_contain_text(text)

    def finds_it_accessible(self, picture: str) -> None:
        """axe finds no violation in what the control panel shows; take its picture."""
        self.finds_no_violation()
        self.needs_no_scrolling_sideways()
        if SCREENSHOTS:
            self.take_picture(Path(SCREENSHOTS, f"{picture}-{self.size}.png"))

    def needs_no_scrolling_sideways(self) -> None:
        """Nothing is cut off (WCAG 1.4.10)."""
        assert self.page.evaluate(WIDTH) <= SIZES[self.size]["width"]

    def turns_dark(self) -> None:
        """Have the page in Bootstrap's dark colours until it is left."""
        self.page.evaluate(DARK)

    def finds_no_violation(self) -> None:
        """axe finds none in what the control panel shows."""
        found = Axe().run(self.page, context=OURS, options=RULES)
        assert found.violations_count == 0, found.generate_report()

    def take_picture(self, path: Path) -> None:
        """What is ours of the page, down to a height that a reader still looks at."""
        usual = SIZES[self.size]
        self.page.set_viewport_size({**usual, "height": PICTURE_PIXELS})
        # A temporary directory means nothing to a reader.
        self.page.evaluate(RENAME_DIRECTORY, [str(self.home), "/srv/site/maildrop"])
        # A test may have scrolled to what it pressed.
        self.page.evaluate("window.scrollTo({top: 0, behavior: 'instant'})")
        box = self.page.locator("#content").bounding_box()
        height = min(box["height"], PICTURE_PIXELS - box["y"])
        taken = self.page.screenshot(clip={**box, "height": height})
        # A palette is enough for a page, and a third of the size.
        Image.open(BytesIO(taken)).quantize(128).save(path, optimize=True)
        self.page.set_viewport_size(usual)


@pytest.fixture(params=list(SIZES))
def visitor(request, chromium, portal, configuration):
    context = chromium.new_context(viewport=SIZES[request.param], locale="en-US")
    context.set_default_timeout(PATIENCE_SECONDS * 1000)
    page = context.new_page()
    home = configuration.parent
    found = Visitor(page, portal.absolute_url(), request.param, home)
    page.on("console", lambda said: _note_console(found, said))
    page.on("pageerror", lambda error: found.wrong.append(f"script: {error}"))
    page.on("response", lambda answer: _note_answer(found, answer))
    yield found
    context.close()
    assert found.wrong == []


def _note_console(found: Visitor, said) -> None:
    if said.type in ("error", "warning"):
        found.wrong.append(f"{said.type} on {found.page.url}: {said.text}")


def _note_answer(found: Visitor, answer) -> None:
    if answer.status >= 400:
        found.wrong.append(f"{answer.status} for {answer.url}")


@pytest.fixture
def owner(visitor) -> Visitor:
    """The site's owner; only one test takes the long way through the login form."""
    login = f"{SITE_OWNER_NAME}:{SITE_OWNER_PASSWORD}".encode()
    header = {"Authorization": f"Basic {base64.b64encode(login).decode()}"}
    visitor.page.set_extra_http_headers(header)
    return visitor


@pytest.fixture
def hurry(owner) -> None:
    """The pauses that our script makes are short in the owner's browser."""
    owner.page.add_init_script(HURRY)


@pytest.fixture
def put(queue):
    """Puts mail into the queue, one for each recipient; returns the ids."""

    def put(*recipients, subject="Letter", lane=None):
        now = time.time()
        mails = [
            compose(
                f"From: The site <site@example.org>\nTo: {recipient}\n"
                f"Subject: {subject} to {recipient}\n\n"
                "Dear reader,\n\nthis is a letter.\n",
                "site@example.org",
                [recipient],
                lane=lane,
                now=now,
            )
            for recipient in recipients
        ]
        with queue.write() as tx:
            return enqueue(tx, mails, now, "/plone/MailHost on web1, process 17")

    return put


@pytest.fixture
def now() -> float:
    return time.time()
