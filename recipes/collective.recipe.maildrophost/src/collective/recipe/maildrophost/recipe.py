"""What buildout calls: makes a part, installs, updates and uninstalls it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from operator import attrgetter
from pathlib import Path
from typing import Any
from weakref import WeakSet

from . import (
    abandoned,
    configuration,
    directories,
    infrae,
    programs,
    secrets,
    sharing,
    supervision,
    validation,
    zopeconf,
)
from .daemons import read_daemons
from .owner import warn_of_a_stranger

_FILES = "files"
"""The option that remembers what a part has written."""
_HOMES = "homes"
"""The option that remembers where a part's daemons have their mail."""

_made: WeakSet[Recipe] = WeakSet()
"""Every part of this recipe, in whichever buildout."""


class Recipe:
    """A part of one or several mail daemons."""

    def __init__(self, buildout: Any, name: str, options: Any) -> None:
        self.buildout = buildout
        self.name = name
        self.options = options
        self.daemons = read_daemons(buildout, name, options)
        programs.check(name, options)
        programs.check_names(name, (other.name for other in self._other_parts()))
        validation.check(buildout, name, options, self.daemons)
        sharing.check(
            self.daemons,
            [daemon for other in self._other_parts() for daemon in other.daemons],
        )
        for daemon in self.daemons:
            directories.check(daemon)
        folders = buildout["buildout"]
        self._services = supervision.services(
            name,
            self.daemons,
            program=Path(folders["bin-directory"], name),
            directory=Path(folders["parts-directory"], name),
        )
        secrets.forget(options)
        self._tell_other_parts()
        _made.add(self)

    def _other_parts(self) -> list[Recipe]:
        """The parts that were made before this one: the last one sees all.

        To ask buildout for a part would make that part now, before this one can tell
        what the other may want to know.
        """
        others = (each for each in _made if each.buildout is self.buildout)
        return sorted(others, key=attrgetter("name"))

    def _tell_other_parts(self) -> None:
        self.options[_FILES] = "\n".join(self.remembered_files)
        self.options[_HOMES] = "\n".join(self.remembered_homes)
        self.options["location"] = str(self._services[0].directory)
        self.options["zope-conf"] = zopeconf.product_config(self.daemons)
        self.options["supervisor-include"] = "\n".join(
            str(service.supervisor_file) for service in self._services
        )
        if len(self.daemons) == 1:
            (daemon,) = self.daemons
            self.options["home"] = str(daemon.home)
            self.options["configuration"] = str(daemon.configuration)
            self.options[infrae.CONFIGURATION_FILE] = str(daemon.configuration)

    def install(self) -> tuple[()]:
        """Make directories, programs, configurations; nothing for buildout to remove.

        What may fail comes before the first file is written: of a part that fails,
        buildout forgets that it was installed.
        """
        for daemon in self.daemons:
            warn_of_a_stranger(daemon.section, daemon.owner)
            directories.make(daemon)
        programs.write(self.buildout, self.name, self.options, self.daemons)
        for daemon, service in zip(self.daemons, self._services, strict=True):
            configuration.write(daemon)
            supervision.write(service)
        return ()

    update = install

    @property
    def remembered_files(self) -> tuple[str, ...]:
        """All that it writes, except the directories of the daemons."""
        bin_directory = Path(self.buildout["buildout"]["bin-directory"])
        return self._remembered(
            (
                *programs.paths(bin_directory, self.name),
                *(daemon.configuration for daemon in self.daemons),
                *(file for service in self._services for file in service.files),
            )
        )

    @property
    def remembered_homes(self) -> tuple[str, ...]:
        """The homes of the daemons."""
        return self._remembered(daemon.home for daemon in self.daemons)

    def _remembered(self, paths: Iterable[Path]) -> tuple[str, ...]:
        """As .installed.cfg has them: relative where they are in the buildout.

        In a copy of the buildout they mean the copy's own.
        """
        start = Path(self.buildout["buildout"]["directory"])
        return tuple(
            str(path.relative_to(start) if path.is_relative_to(start) else path)
            for path in paths
        )


def uninstall(name: str, options: Mapping[str, str]) -> None:
    """Remove a part's files, except those that a part of this buildout writes anew.

    Buildout also uninstalls a part with a changed option, and installs it once all
    parts before it are installed, or never if one of them fails. Meanwhile Zope looks
    for the configuration with every mail.

    Relative paths start at the buildout's directory, in which buildout works.
    """
    needed = {file for part in _made for file in part.remembered_files}
    files = [file for file in options.get(_FILES, "").splitlines() if file]
    for file in files:
        if file not in needed:
            Path(file).unlink(missing_ok=True)
    for folder in {Path(file).parent for file in files}:
        if folder.name == name:
            with contextlib.suppress(OSError):  # it has what others need, or is gone
                folder.rmdir()
    homes = options.get(_HOMES, "").splitlines()
    abandoned.warn(
        name, homes, (home for part in _made for home in part.remembered_homes)
    )
