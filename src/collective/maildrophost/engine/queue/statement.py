"""Statements of the hot path: compiled once, run by the driver itself."""

# SQLAlchemy takes 50 to 250 us to run a statement, more than SQLite for the work in it
# (measured); a daemon runs a dozen of them for every few messages, a page for every
# mail. So what runs that often is written with SQLAlchemy Core like all the rest, but
# is compiled once for each database and then given to the driver as text.
#
# This bypasses SQLAlchemy: values go in and come out as the driver knows them (a
# Boolean of SQLite is 0 or 1), and errors are the driver's own; `store` names both
# kinds of error.

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ClauseElement, ColumnElement
from sqlalchemy.sql.compiler import SQLCompiler

Row = tuple[Any, ...]
Parameters = Mapping[str, Any]


class _Ids(ColumnElement[int]):
    """The ids in the parameter `ids`: one parameter, however many they are."""

    inherit_cache = True


@compiles(_Ids, "sqlite")
def _ids_in_json(element: _Ids, compiler: SQLCompiler, **options: Any) -> str:
    ids = compiler.process(bindparam("ids"))
    return f"(SELECT value FROM json_each({ids}))"  # noqa: S608  a placeholder


@compiles(_Ids, "postgresql")
def _ids_in_array(element: _Ids, compiler: SQLCompiler, **options: Any) -> str:
    ids = compiler.process(bindparam("ids"))
    return f"(SELECT unnest({ids}::bigint[]))"


_DRIVERS_IDS: dict[str, Callable[[Iterable[int]], Any]] = {
    "sqlite": lambda ids: json.dumps(list(ids)),
    "postgresql": list,
}


def among_ids(column: ColumnElement[int]) -> ColumnElement[bool]:
    """The condition that `column` is one of the parameter `ids`."""
    return column.bool_op("IN")(_Ids())


def _each_executed(cursor: Any, sql: str, rows: list[Any]) -> list[Row]:
    return [cursor.execute(sql, row).fetchall()[0] for row in rows]


def _all_sent_at_once(cursor: Any, sql: str, rows: list[Any]) -> list[Row]:
    # In few round trips, however many rows there are.
    cursor.executemany(sql, rows, returning=True)
    answers = [cursor.fetchone()]
    while cursor.nextset():
        answers.append(cursor.fetchone())
    return answers


_DRIVERS_ANSWERS: dict[str, Callable[[Any, str, list[Any]], list[Row]]] = {
    "sqlite": _each_executed,
    "postgresql": _all_sent_at_once,
}


# Sent as text, content is twice as long, and in memory six times until it is read.
_DRIVERS_OCTETS: dict[str, dict[str, Any]] = {
    "sqlite": {},
    "postgresql": {"binary": True},
}


class Statement:
    """One statement; its parameters are given by name.

    `octets`: its answer has the content of mail.
    """

    def __init__(self, statement: ClauseElement, octets: bool = False) -> None:
        self._statement = statement
        self._octets = octets
        self._compiled: dict[str, _Compiled] = {}

    def rows(self, tx: Connection, **parameters: Any) -> list[Row]:
        """All rows of the answer."""
        compiled = self._compiled_for(tx)
        options = _DRIVERS_OCTETS[tx.dialect.name] if self._octets else {}
        cursor = tx.connection.cursor(**options)
        try:
            cursor.execute(compiled.sql, compiled.arguments(parameters))
            return list(cursor.fetchall())
        finally:
            # After a row that cannot be read it would stay open and go on reading: a
            # checkpoint would wait for it, and all who write for the checkpoint.
            cursor.close()

    def run(self, tx: Connection, **parameters: Any) -> int:
        """Run it; returns how many rows it changed."""
        compiled = self._compiled_for(tx)
        cursor = tx.connection.cursor()
        cursor.execute(compiled.sql, compiled.arguments(parameters))
        return int(cursor.rowcount)

    def run_many(self, tx: Connection, rows: Iterable[Parameters]) -> None:
        """Run it once for each of the `rows`."""
        compiled = self._compiled_for(tx)
        cursor = tx.connection.cursor()
        cursor.executemany(compiled.sql, list(map(compiled.arguments, rows)))

    def row_of_each(self, tx: Connection, rows: Iterable[Parameters]) -> list[Row]:
        """Run it once for each of the `rows`; the one row of each answer, in order."""
        compiled = self._compiled_for(tx)
        arguments = list(map(compiled.arguments, rows))
        answers = _DRIVERS_ANSWERS[tx.dialect.name]
        return answers(tx.connection.cursor(), compiled.sql, arguments)

    def _compiled_for(self, tx: Connection) -> _Compiled:
        name = tx.dialect.name
        compiled = self._compiled.get(name)
        if compiled is None:
            compiled = self._compiled[name] = _Compiled(tx, self._statement)
        return compiled


class _Compiled:
    """The text for one kind of database, with the way its parameters are given."""

    def __init__(self, tx: Connection, statement: ClauseElement) -> None:
        compiled = statement.compile(dialect=tx.dialect)
        assert isinstance(compiled, SQLCompiler)
        self.sql = str(compiled)
        self._constants = {
            name: value
            for name, value in compiled.params.items()
            if not compiled.binds[name].required
        }
        self._as_ids = _DRIVERS_IDS[tx.dialect.name]
        names = compiled.positiontup
        self._in_order = names is not None and _tuple_of(names)

    def arguments(self, parameters: Parameters) -> Any:
        """What the driver's `execute` takes."""
        given = {**self._constants, **parameters}
        if "ids" in parameters:
            given["ids"] = self._as_ids(parameters["ids"])
        return self._in_order(given) if self._in_order else given


def _tuple_of(names: list[str]) -> Callable[[Parameters], Row]:
    if len(names) > 1:
        return itemgetter(*names)
    return lambda given: tuple(given[name] for name in names)
