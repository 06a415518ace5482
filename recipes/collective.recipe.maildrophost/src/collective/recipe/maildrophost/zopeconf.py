"""The lines that tell Zope of the daemons' configurations."""

from __future__ import annotations

from collections.abc import Iterable

from .daemons import Daemon


def product_config(daemons: Iterable[Daemon]) -> str:
    """The product-config section for zope.conf, a key for each daemon."""
    lines = [
        # ZConfig replaces $name, so a dollar in a path is doubled.
        f"  config-path-{daemon.name} {str(daemon.configuration).replace('$', '$$')}"
        for daemon in daemons
    ]
    return "\n".join(["<product-config maildrophost>", *lines, "</product-config>"])
