"""The tests of our peers, as their installed packages bring them."""

from __future__ import annotations

import importlib
import os
import pkgutil
import unittest
from collections.abc import Iterator
from importlib.metadata import version
from types import ModuleType
from unittest.mock import patch

SUITES = {
    "Products.MailHost": (
        "Products.MailHost.tests.testMailHost",
        "Products.MailHost.tests.test_SendMailTag",
        "Products.MailHost.tests.test_exportimport",
    ),
    "zope.sendmail": ("zope.sendmail.tests.test_delivery",),
}


def title(package: str) -> str:
    """The package with the version that is installed."""
    return f"{package} {version(package)}"


def modules_brought(package: str) -> set[str]:
    """All modules of tests in the package, whether they are run here or not."""
    tests = _module(f"{package}.tests")
    return {
        f"{tests.__name__}.{module.name}"
        for module in pkgutil.iter_modules(tests.__path__)
        if module.name.startswith("test")
    }


def all_tests(package: str) -> dict[str, unittest.TestCase]:
    """Every test by its name: module, class and method."""
    loader = unittest.TestLoader()
    return {
        test.id().removeprefix(f"{package}.tests."): test
        for name in SUITES[package]
        for test in _flat(loader.loadTestsFromModule(_module(name)))
    }


def _module(name: str) -> ModuleType:
    # Zope's own helpers for tests mark the environment, which the programs that other
    # tests start would inherit.
    with patch.dict(os.environ):
        return importlib.import_module(name)


def _flat(suite: unittest.TestSuite) -> Iterator[unittest.TestCase]:
    for each in suite:
        if isinstance(each, unittest.TestSuite):
            yield from _flat(each)
        else:
            yield each


def complaint(test: unittest.TestCase) -> str:
    """Run the test; why it did not pass, "" when it did.

    One that is skipped, or marked to fail, proves nothing: it does not pass.
    """
    result = unittest.TestResult()
    test.run(result)
    reasons = [
        *result.failures,
        *result.errors,
        *result.skipped,
        *result.expectedFailures,
    ]
    return "\n".join(reason for _, reason in reasons)
