"""The tests of our peers pass with a Maildrop Host, but for those that are listed."""

from __future__ import annotations

from pathlib import Path

import pytest
from peers import report
from peers.exceptions import EXCEPTIONS, Different
from peers.suites import SUITES, all_tests, complaint, modules_brought

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
TESTS = {package: all_tests(package) for package in SUITES}


def excepted_as(kind):
    """The tests whose exception is of this kind; NoneType: those without one."""
    return [
        pytest.param(package, test, id=name)
        for package, tests in TESTS.items()
        for name, test in tests.items()
        if isinstance(EXCEPTIONS[package].get(name), kind)
    ]


@pytest.mark.parametrize(("package", "test"), excepted_as(type(None)))
def test_a_maildrop_host_does_what_the_peer_promises(package, test, maildrop_host):
    maildrop_host(package)
    reason = complaint(test)
    assert not reason, reason


@pytest.mark.parametrize(("package", "test"), excepted_as(Different))
def test_what_differs_does_so_for_the_reason_given(
    request, package, test, maildrop_host
):
    maildrop_host(package)
    exception = EXCEPTIONS[package][request.node.callspec.id]
    reason = complaint(test)
    assert reason, "it passes: take it from the table"
    assert exception.because in reason


@pytest.mark.parametrize("package", SUITES)
def test_every_exception_names_a_test_that_there_is(package):
    assert set(EXCEPTIONS[package]) <= set(TESTS[package])


def test_no_module_of_mailhost_is_forgotten():
    assert modules_brought("Products.MailHost") == set(SUITES["Products.MailHost"])


@pytest.mark.parametrize("table", [report.counts, report.exceptions])
def test_the_page_has_the_counts_and_the_exceptions(table):
    written = PAGE.read_text(encoding="utf-8")
    assert table() in written, f"to be written there:\n{table()}"
