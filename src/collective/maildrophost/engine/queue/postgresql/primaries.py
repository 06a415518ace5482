"""Whether the hosts of a URL are what they should be: one server and its standbys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

import psycopg
from sqlalchemy.engine import URL

from . import hosts
from .connection import open_connection

# Asked through a pooler, it is the server behind it that answers: however many poolers
# a server has, it counts as one.
_SERVER = "SELECT pg_postmaster_start_time()"


def risks(url: URL) -> Iterator[str]:
    """What is wrong with them, where there are several; connects to each of them."""
    arguments, options = url.get_dialect()().create_connect_args(url)
    found: dict[object, str] = {}
    for name, one in hosts.each(options):
        try:
            found.setdefault(_server(arguments, one), name)
        except psycopg.Error as error:
            words = " ".join(str(error).split())
            if hosts.READ_ONLY_WORDS not in words:
                yield f"{name} cannot take over when another host fails ({words})"
    if len(found) > 1:
        yield (
            f"{' and '.join(found.values())} can both be written, and are two queues: "
            "stop the former primary, and make it a standby of the other one"
        )


def _server(arguments: Sequence[Any], options: Mapping[str, Any]) -> object:
    """Which server it is; psycopg.Error when it can't be written to."""
    asked = {**options, "target_session_attrs": "read-write"}
    with closing(open_connection(arguments, asked)) as connection:
        return connection.execute(_SERVER).fetchone()
