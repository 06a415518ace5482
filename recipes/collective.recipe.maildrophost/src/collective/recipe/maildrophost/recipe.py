"""What buildout calls: makes a part, installs it, updates it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import configuration, directories, infrae, programs, secrets, zopeconf
from .daemons import read_daemons


class Recipe:
    """A part of one or several mail daemons."""

    def __init__(self, buildout: Any, name: str, options: Any) -> None:
        self.buildout = buildout
        self.name = name
        self.options = options
        self.daemons = read_daemons(buildout, name, options)
        secrets.forget(options)
        self._tell_other_parts()

    def _tell_other_parts(self) -> None:
        first = self.daemons[0]
        parts = Path(self.buildout["buildout"]["parts-directory"])
        self.options["location"] = str(parts / self.name)
        self.options["zope-conf"] = zopeconf.product_config(self.daemons)
        if len(self.daemons) == 1:
            self.options["home"] = str(first.home)
            self.options["configuration"] = str(first.configuration)
            self.options[infrae.CONFIGURATION_FILE] = str(first.configuration)

    def install(self) -> list[str]:
        """Make directories, configurations, programs; the paths to uninstall."""
        for daemon in self.daemons:
            directories.make(daemon)
        configurations = [configuration.write(daemon) for daemon in self.daemons]
        return configurations + programs.write(
            self.buildout, self.name, self.options, self.daemons
        )

    update = install
