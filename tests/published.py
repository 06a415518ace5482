"""What of the add-on has an address, found by walking what it registers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zope.component import getGlobalSiteManager
from zope.interface import Interface
from zope.publisher.interfaces import IRequest
from ZPublisher import zpublish_mark

import collective.maildrophost
from collective.maildrophost import MaildropHost

PACKAGE = collective.maildrophost.__name__
HOME = Path(collective.maildrophost.__file__).parent

PUBLIC = "everybody"
PRIVATE = "nobody"
UNDECLARED = "not declared"
ANY_METHOD = ("any",)
NO_METHOD = ()


@dataclass(frozen=True)
class View:
    """A view or a service; `permission` is what the publisher asks for."""

    name: str
    context: str
    permission: str


@dataclass(frozen=True)
class Method:
    """A method of the Maildrop Host; `methods` are those of HTTP that reach it."""

    permission: str
    methods: tuple[str, ...]


def views() -> list[View]:
    """Every adapter of ours for a request that an address may lead to."""
    return [
        View(each.name, each.required[0].__name__, permission_of(each.factory))
        for each in _ours()
        if _takes_request(each)
    ]


def adapters() -> set[str]:
    """Every other adapter of ours."""
    return {
        f"{each.factory.__module__}.{each.factory.__qualname__}"
        for each in _ours()
        if not _takes_request(each)
    }


def methods() -> dict[str, Method]:
    """The methods of a Maildrop Host that our classes define, by name."""
    return {
        name: Method(permission_of_method(name), _published(value))
        for each in MaildropHost.__mro__
        if _is_ours(each)
        for name, value in vars(each).items()
        if callable(value) and not name.startswith("_") and "__roles__" not in name
    }


def permission_of(factory: Any) -> str:
    """The permission that the publisher asks for before it calls the view."""
    return _named(getattr(factory, "__roles__", UNDECLARED))


def permission_of_method(name: str) -> str:
    """The permission that a method of the Maildrop Host needs."""
    return _named(getattr(MaildropHost, f"{name}__roles__", UNDECLARED))


def _named(roles: Any) -> str:
    if roles is None:
        return PUBLIC
    if roles == ():
        return PRIVATE
    # By its name: AccessControl has two classes for it.
    return str(getattr(roles, "__name__", UNDECLARED))


def _published(method: Any) -> tuple[str, ...]:
    mark = zpublish_mark(method)
    if mark is None:
        # Zope publishes what has a docstring unless it is told not to.
        mark = bool(method.__doc__)
    if isinstance(mark, tuple):
        return mark
    return ANY_METHOD if mark else NO_METHOD


def _ours() -> list[Any]:
    return [
        each
        for each in getGlobalSiteManager().registeredAdapters()
        if _is_ours(each.factory) or _is_in_our_zcml(each)
    ]


def _is_ours(factory: Any) -> bool:
    classes = getattr(factory, "__mro__", (factory,))
    return any(f"{each.__module__}.".startswith(f"{PACKAGE}.") for each in classes)


def _is_in_our_zcml(registration: Any) -> bool:
    # A page that is nothing but a template has a class of Zope's.
    file = getattr(registration.info, "file", "")
    return HOME in Path(file).parents


def _takes_request(registration: Any) -> bool:
    return any(
        each.isOrExtends(IRequest)
        for each in registration.required
        if each is not Interface
    )
