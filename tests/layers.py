"""The layers of collective.maildrophost.testing as fixtures of pytest."""

from __future__ import annotations

from typing import Any

import pytest
from zope.pytestlayer import fixture

from collective.maildrophost.testing import (
    MAILDROPHOST_ACCEPTANCE_TESTING,
    MAILDROPHOST_FUNCTIONAL_TESTING,
    MAILDROPHOST_INTEGRATION_TESTING,
)

LAYERS = {
    "integration": MAILDROPHOST_INTEGRATION_TESTING,
    "functional": MAILDROPHOST_FUNCTIONAL_TESTING,
    "acceptance": MAILDROPHOST_ACCEPTANCE_TESTING,
}


def _test_fixture(kind: str) -> Any:
    """``KIND_test`` in a layer that is kept: else each test would make a site."""

    @pytest.fixture(name=f"{kind}_test")
    def test(request: pytest.FixtureRequest) -> Any:
        request.getfixturevalue(f"{kind}_layer")
        return request.getfixturevalue(f"{kind}_layer_for_a_test")

    return test


# For one conftest only: what is registered twice is torn down twice. The fixtures of a
# base that several layers share are made with the first of these.
FIXTURES = {
    name: made
    for kind, layer in LAYERS.items()
    for name, made in fixture.create(
        layer,
        session_fixture_name=f"{kind}_layer",
        class_fixture_name=f"{kind}_class",
        function_fixture_name=f"{kind}_layer_for_a_test",
    ).items()
}
FIXTURES |= {f"{kind}_test": _test_fixture(kind) for kind in LAYERS}
