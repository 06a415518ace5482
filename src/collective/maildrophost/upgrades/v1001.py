"""Version 1001: the site gets the add-on's control panel."""

from __future__ import annotations

from typing import Any

PROFILE = "profile-collective.maildrophost:default"


def list_control_panel(setup_tool: Any) -> None:
    """Add the entry in the site's setup; its permission comes with the ZCML."""
    setup_tool.runImportStepFromProfile(PROFILE, "controlpanel", run_dependencies=False)
