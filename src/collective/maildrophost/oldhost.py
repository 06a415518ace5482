"""The state of a MaildropHost of Products.MaildropHost, as settings of ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collective.maildrophost import productconfig

OLD = "Products.MaildropHost.MaildropHost", "MaildropHost"
NEW = "collective.maildrophost.host", "MaildropHost"

RENAMES = {" ".join(OLD): " ".join(NEW)}
"""For zodbupdate."""
DECODES = {
    f"{' '.join(names)} {attribute}": "utf-8"
    for names in (OLD, NEW)
    for attribute in ("id", "title", "config_path", "smtp_host")
}
"""For zodbupdate, when it converts a database of Python 2."""

CONFIG_PATH = "config_path"
CONFIG_KEY = "_config_key"
_REPEATED = frozenset(
    {"add_messageid", "debug", "debug_receiver", "_debug_receiver", "login"}
    | {"maildrop_log_file", "password", "polling", "spool", "use_tls"}
)
"""What it copied from its configuration file, with stars for the password."""


def translated(state: dict[str, Any]) -> dict[str, Any]:
    """The state of an old object as one of ours has it; any other state unchanged.

    The old object stored the path of its configuration, ours stores a key. A path that
    is not listed is kept until it is, or until somebody chooses a key.
    """
    if CONFIG_PATH not in state and not _REPEATED & state.keys():
        return state
    ours = {name: value for name, value in state.items() if name not in _REPEATED}
    if CONFIG_KEY not in ours and (key := _key_of(ours.get(CONFIG_PATH))):
        ours[CONFIG_KEY] = key
    if CONFIG_KEY in ours:
        ours.pop(CONFIG_PATH, None)
    return ours


def _key_of(path: str | None) -> str:
    # Its own key, never DEFAULT: which file that means changes with the environment
    # and with the order in zope.conf.
    paths = productconfig.configurations()
    paths.pop(productconfig.DEFAULT, None)
    return next((key for key, listed in paths.items() if listed == path), "")


def state_of(tool: Any) -> Mapping[str, Any] | None:
    """The state of an old object whose product is gone; None for any other object."""
    if (type(tool).__module__, type(tool).__name__) != OLD:
        return None
    tool._p_activate()
    return vars(tool).get("__Broken_state__", {})
