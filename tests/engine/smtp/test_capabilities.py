"""What a relay says in its answer to EHLO."""

from __future__ import annotations

import pytest

from collective.maildrophost.engine.smtp.capabilities import Capabilities
from collective.maildrophost.engine.smtp.replies import Reply


def told(*lines):
    return Capabilities.of(Reply(250, ("relay.test at your service", *lines)))


def test_both_ways_to_offer_auth_count():
    found = told("AUTH LOGIN", "AUTH=PLAIN")
    assert found.auth_mechanisms == ("LOGIN", "PLAIN")


def test_the_name_of_the_relay_is_no_extension():
    assert not Capabilities.of(Reply(250, ("STARTTLS",))).offers("STARTTLS")


@pytest.mark.parametrize(
    ("limit", "octets"), [("1000", 1000), ("", 0), ("0", 0), ("many", 0), ("²", 0)]
)
def test_a_limit_of_the_size_is_a_number(limit, octets):
    assert told(f"size {limit}").size_limit == octets
