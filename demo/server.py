"""The program that serves Plone: `server ZOPE_CONF USER SOCKET`, password on stdin."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
from types import FrameType

import waitress
from Zope2.Startup.run import make_wsgi_app
from ZPublisher.httpexceptions import HTTPExceptionHandler

from .site import make_site


def main(zope_conf: str, user: str, descriptor: str) -> None:
    """Serve on the listening socket `descriptor` until SIGTERM or the end of stdin."""
    signal.signal(signal.SIGTERM, _exit)
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    password = sys.stdin.readline().strip()
    threading.Thread(target=_end_with_the_demo, daemon=True).start()
    application = HTTPExceptionHandler(make_wsgi_app({}, zope_conf))
    make_site(user, password)
    with socket.socket(fileno=int(descriptor)) as listening:
        waitress.serve(application, sockets=[listening], threads=4)


def _end_with_the_demo() -> None:
    # Even a demo that was killed leaves no Plone behind.
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


def _exit(number: int, frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
