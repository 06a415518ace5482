"""A visitor of the site who asks something with its contact form."""

from __future__ import annotations

import http.client
import secrets
import time
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urlencode

from .failure import DemoFailed

PAGE_SECONDS = 60.0
PAGE = "contact-info"
THANKS = "Thank you for your feedback"


@dataclass(frozen=True)
class Answer:
    """What became of the question."""

    question: str
    asked: float
    """`time.monotonic()` before the form was sent."""
    page_seconds: float
    """From then to the last byte of the page that says thanks."""


def ask(host: str, port: int, site: str) -> Answer:
    """Fill in the form, send it; raises DemoFailed unless the page says thanks."""
    question = f"Does this mail arrive? (number {secrets.randbelow(10**6):06})"
    form = _Form()
    form.feed(_page(host, port, "GET", f"{site}/{PAGE}"))
    fields = {
        **form.hidden,
        "form.widgets.sender_fullname": "A Visitor",
        "form.widgets.sender_from_address": "visitor@demo.example",
        "form.widgets.subject": "A question",
        "form.widgets.message": question,
        "form.buttons.send": "Send",
    }
    asked = time.monotonic()
    page = _page(host, port, "POST", f"{site}/{PAGE}", urlencode(fields))
    page_seconds = time.monotonic() - asked
    if THANKS not in page:
        raise DemoFailed("the contact form did not take the question")
    return Answer(question, asked, page_seconds)


class _Form(HTMLParser):
    """The hidden fields of a page, which a browser sends back with the others."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        field = dict(attrs)
        if tag == "input" and field.get("type") == "hidden" and field.get("name"):
            self.hidden[str(field["name"])] = field.get("value") or ""


def _page(host: str, port: int, method: str, path: str, body: str = "") -> str:
    connection = http.client.HTTPConnection(host, port, timeout=PAGE_SECONDS)
    headers = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
    try:
        connection.request(method, path, body or None, headers)
        response = connection.getresponse()
        page = response.read().decode("utf-8", errors="replace")
    except (OSError, http.client.HTTPException) as error:
        raise DemoFailed(f"{method} {path}: {error}") from None
    finally:
        connection.close()
    if response.status != 200:
        raise DemoFailed(f"{method} {path}: status {response.status}")
    return page
