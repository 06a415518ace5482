"""The daemons of a part, each with all its options."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zc.buildout import UserError

from . import homes, infrae
from .errors import wrong_value
from .options import Kind, Option
from .owner import Owner, owner
from .sections import PART_OPTIONS, read
from .unmade import Unmade
from .values import in_words_of_the_daemon, without_comment

_SQLITE = "sqlite:///"
_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_FILE = Option(infrae.CONFIGURATION_FILE, Kind.PATH)


@dataclass(frozen=True)
class Daemon:
    """One daemon; ``values`` are the options that the buildout sets, and its home."""

    name: str
    part: str
    section: str
    """Its own, if it has one, or the part's."""
    configuration: Path
    values: Mapping[str, str] = field(repr=False)  # may hold a password
    said: Mapping[str, str]
    """The options that the buildout gives a value to, each with its section."""

    def section_of(self, option: str) -> str:
        """Where to change `option`."""
        return self.said.get(option, self.section)

    @property
    def owner(self) -> Owner:
        """The user it runs as."""
        return owner(self.values.get("user", ""))

    @property
    def home(self) -> Path:
        """Its working directory."""
        return Path(self.values["home"])

    @property
    def spools(self) -> tuple[Path, ...]:
        """Its drop directories."""
        return tuple(map(Path, self._value("spool", self.home / "spool").split(";")))

    @property
    def var(self) -> Path:
        """Where its log, pid and socket files are, unless an option says otherwise."""
        return Path(self._value("var", self.home / "var"))

    @property
    def log_file(self) -> Path:
        """What it logs to."""
        return Path(self._value("log-file", self.var / "maildrop.log"))

    @property
    def pid_file(self) -> Path:
        """Holds the number of its process."""
        return Path(self._value("pid-file", self.var / "maildrop.pid"))

    @property
    def queue_files(self) -> tuple[Path, ...]:
        """The file of its queue, unless that is on a server."""
        url = self.values.get("queue") or f"{_SQLITE}{self.home / 'queue.db'}"
        is_file = url.startswith(_SQLITE)
        return (Path(url.removeprefix(_SQLITE)),) if is_file else ()

    @property
    def metrics(self) -> tuple[str, ...]:
        """Where it answers its watchers, if anywhere; a port alone is on loopback."""
        address = self.values.get("metrics", "")
        if not address:
            return ()
        port = address.removeprefix(":")
        return (f"127.0.0.1:{port}" if port.isdigit() else address,)

    @property
    def written_directories(self) -> tuple[Path, ...]:
        """Every directory that the daemon writes in."""
        token = self.values.get("oauth-refresh-token-file")
        files = (
            *(self.log_file, self.pid_file, *self.queue_files),
            *((Path(token),) if token else ()),
        )
        directories = (self.home, self.var, *self.spools)
        return tuple(dict.fromkeys((*directories, *(file.parent for file in files))))

    def _value(self, option: str, default: Path) -> str:
        return self.values.get(option) or str(default)


def read_daemons(buildout: Any, part: str, options: Any) -> tuple[Daemon, ...]:
    """The daemons of `part`, in the order it lists them; raises UserError."""
    start = Path(buildout["buildout"]["directory"])
    shared = read(part, options, start, PART_OPTIONS)
    names = without_comment(options.get("daemons", "")).split()
    if not names:
        return (_lone_daemon(buildout, part, options, shared, start),)
    if infrae.CONFIGURATION_FILE in options:
        raise UserError(
            f"[{part}] {infrae.CONFIGURATION_FILE}: several daemons cannot share it."
        )
    _check_names(part, names)
    return tuple(_listed_daemon(buildout, part, name, shared, start) for name in names)


def _lone_daemon(
    buildout: Any, part: str, options: Any, values: Mapping[str, str], start: Path
) -> Daemon:
    home = values.get("home") or str(homes.default_or_left_behind(buildout, part))
    name = infrae.CONFIGURATION_FILE
    given = in_words_of_the_daemon(part, name, _FILE, options.get(name, ""), start)
    return Daemon(
        name=part,
        part=part,
        section=part,
        configuration=Path(given) if given else _configuration(buildout, part, part),
        values=_with_home(values, home),
        said={option: part for option, value in values.items() if value},
    )


def _listed_daemon(
    buildout: Any, part: str, name: str, shared: Mapping[str, str], start: Path
) -> Daemon:
    own = _own_options(buildout, part, name, start)
    values = {**shared, **own}
    return Daemon(
        name=name,
        part=part,
        section=name if own else part,
        configuration=_configuration(buildout, part, name),
        values=_with_home(values, str(homes.default(buildout, part, name))),
        said={
            option: name if option in own else part
            for option, value in values.items()
            if value
        },
    )


def _own_options(buildout: Any, part: str, name: str, start: Path) -> dict[str, str]:
    if name not in buildout.keys():  # noqa: SIM118 (`in buildout` would build it)
        return {}
    section = Unmade(buildout, name)
    if "recipe" in section:
        raise wrong_value(
            part, "daemons", f"names of daemons, but [{name}] is a part with a recipe"
        )
    return read(name, section, start)


def _with_home(values: Mapping[str, str], default: str) -> dict[str, str]:
    said = {name: value for name, value in values.items() if value}
    return {"home": default, **said}


def _configuration(buildout: Any, part: str, name: str) -> Path:
    return Path(buildout["buildout"]["parts-directory"]) / part / f"{name}.conf"


def _check_names(part: str, names: list[str]) -> None:
    for name in names:
        if not _NAME.fullmatch(name):
            raise wrong_value(
                part,
                "daemons",
                "names of lower-case letters, digits, - and _ that begin with a "
                f"letter; {name!r} is not one",
            )
        if names.count(name) > 1:
            raise wrong_value(part, "daemons", f"each name once; {name!r} occurs twice")
