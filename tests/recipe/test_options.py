"""The recipe's table of options against the daemon's own."""

from __future__ import annotations

import pytest

from collective.maildrophost.engine.config import OPTIONS as ENGINE_OPTIONS
from collective.maildrophost.engine.config import Kind as EngineKind
from collective.recipe.maildrophost.options import BY_NAME, OPTIONS, Kind
from collective.recipe.maildrophost.supervision import STOP_TIMEOUT

# What the recipe has to do something about; the others the daemon takes as they are.
WRITTEN_AS = {
    EngineKind.SECRET: Kind.SECRET,
    EngineKind.SWITCH: Kind.SWITCH,
    EngineKind.PATH: Kind.PATH,
    EngineKind.FILE: Kind.PATH,
    EngineKind.PATHS: Kind.PATHS,
    EngineKind.RELAYS: Kind.RELAYS,
    EngineKind.QUEUE: Kind.QUEUE,
}


def test_the_recipe_knows_every_option_of_the_daemon_and_no_other():
    assert {option.variable for option in OPTIONS} == {o.name for o in ENGINE_OPTIONS}


@pytest.mark.parametrize("engine", ENGINE_OPTIONS, ids=lambda option: option.name)
def test_an_option_means_the_same_in_a_buildout(engine):
    (ours,) = (option for option in OPTIONS if option.variable == engine.name)
    assert ours.kind is WRITTEN_AS.get(engine.kind, Kind.TEXT)


def test_a_name_is_the_daemons_in_small_letters_with_hyphens_without_maildrop():
    names = {"smtp-host", "tls", "login", "password-file", "interval", "home", "spool"}
    assert names <= set(BY_NAME)
    assert {"wait-interval", "add-messageid", "oauth-token-url"} <= set(BY_NAME)


def test_the_recipe_knows_how_long_a_daemon_stops_unless_told_otherwise():
    (engine,) = (o for o in ENGINE_OPTIONS if o.name == "MAILDROP_STOP_TIMEOUT")
    assert engine.default == STOP_TIMEOUT
