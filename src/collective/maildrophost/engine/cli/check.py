"""`maildropctl check`: everything that mail needs, one line each."""

from __future__ import annotations

from collections.abc import Iterable

import click

from . import exits
from .checks import Finding, Level, every_check
from .configured import Configured, pass_configured
from .output import print_json, printable
from .parameters import json_option

COLOURS = {Level.OK: "green", Level.WARNING: "yellow", Level.FAILED: "red"}


@click.command("check")
@json_option
@pass_configured
def check_command(configured: Configured, as_json: bool) -> int:
    """Look at everything that mail needs.

    Configuration, directories, queue, relays with TLS and login, daemon: one line each,
    ok or what to do. It connects to the relays, but sends no mail. The exit status is 1
    if something failed.
    """
    from ..config import ConfigurationError

    try:
        configuration = configured.load(warn=False)
    except ConfigurationError as error:
        _report([Finding("configuration", Level.FAILED, str(error))], as_json)
        return exits.USAGE
    reported = _report(every_check(configuration), as_json)
    bad = any(finding.level is Level.FAILED for finding in reported)
    return exits.FAILED if bad else exits.DONE


def _report(findings: Iterable[Finding], as_json: bool) -> list[Finding]:
    reported = []
    for finding in findings:
        reported.append(finding)
        if not as_json:
            _print(finding)  # at once: a relay may take its time
    if as_json:
        print_json([finding.as_json() for finding in reported])
    return reported


def _print(finding: Finding) -> None:
    level = click.style(f"{finding.level.value:<8}", fg=COLOURS[finding.level])
    click.echo(f"{level}{finding.subject:<15}{printable(finding.text)}")
