"""What buildout calls: makes a part, installs it, updates it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import (
    configuration,
    directories,
    infrae,
    programs,
    secrets,
    supervision,
    zopeconf,
)
from .daemons import read_daemons
from .owner import warn_of_a_stranger


class Recipe:
    """A part of one or several mail daemons."""

    def __init__(self, buildout: Any, name: str, options: Any) -> None:
        self.buildout = buildout
        self.name = name
        self.options = options
        self.daemons = read_daemons(buildout, name, options)
        folders = buildout["buildout"]
        self._services = supervision.services(
            name,
            self.daemons,
            program=Path(folders["bin-directory"], name),
            directory=Path(folders["parts-directory"], name),
        )
        secrets.forget(options)
        self._tell_other_parts()

    def _tell_other_parts(self) -> None:
        first = self.daemons[0]
        self.options["location"] = str(self._services[0].directory)
        self.options["zope-conf"] = zopeconf.product_config(self.daemons)
        self.options["supervisor-include"] = "\n".join(
            str(service.supervisor_file) for service in self._services
        )
        if len(self.daemons) == 1:
            self.options["home"] = str(first.home)
            self.options["configuration"] = str(first.configuration)
            self.options[infrae.CONFIGURATION_FILE] = str(first.configuration)

    def install(self) -> list[str]:
        """Make directories, configurations, programs; the paths to uninstall."""
        written = []
        for daemon, service in zip(self.daemons, self._services, strict=True):
            warn_of_a_stranger(daemon.section, daemon.owner)
            directories.make(daemon)
            written += [configuration.write(daemon), *supervision.write(service)]
        return written + programs.write(
            self.buildout, self.name, self.options, self.daemons
        )

    update = install
