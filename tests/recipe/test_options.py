"""The recipe's table of options against the daemon's own."""

from __future__ import annotations

import pytest

from collective.maildrophost.engine.config import OPTIONS as ENGINE_OPTIONS
from collective.maildrophost.engine.config import Kind as EngineKind
from collective.recipe.maildrophost.options import BY_NAME, OPTIONS, Kind
from collective.recipe.maildrophost.supervision import STOP_TIMEOUT

# The recipe checks these no further; the daemon does when it starts.
LESS_STRICT = {
    EngineKind.FILE: Kind.PATH,
    EngineKind.ADDRESS: Kind.TEXT,
    EngineKind.ADDRESSES: Kind.TEXT,
    EngineKind.LISTEN: Kind.TEXT,
    EngineKind.WEB: Kind.TEXT,
}


def test_the_recipe_knows_every_option_of_the_daemon_and_no_other():
    assert {option.variable for option in OPTIONS} == {o.name for o in ENGINE_OPTIONS}


@pytest.mark.parametrize("engine", ENGINE_OPTIONS, ids=lambda option: option.name)
def test_an_option_means_the_same_in_a_buildout(engine):
    (ours,) = (option for option in OPTIONS if option.variable == engine.name)
    expected = LESS_STRICT.get(engine.kind) or Kind[engine.kind.name]
    assert ours.kind is expected
    assert ours.choices == engine.choices
    if ours.kind in (Kind.WHOLE, Kind.SECONDS):
        limits = (ours.minimum, ours.maximum, ours.above)
        assert limits == (engine.minimum, engine.maximum, engine.above)


def test_a_name_is_the_daemons_in_small_letters_with_hyphens_without_maildrop():
    names = {"smtp-host", "tls", "login", "password-file", "interval", "home", "spool"}
    assert names <= set(BY_NAME)
    assert {"wait-interval", "add-messageid", "oauth-token-url"} <= set(BY_NAME)


def test_the_recipe_knows_how_long_a_daemon_stops_unless_told_otherwise():
    (engine,) = (o for o in ENGINE_OPTIONS if o.name == "MAILDROP_STOP_TIMEOUT")
    assert engine.default == STOP_TIMEOUT
