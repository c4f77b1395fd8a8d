"""Keeps agencies apart: refuses, on every engine the product uses, a statement that is not bound to one agency.

A statement may touch a tenant table only with `agency_id = <value>` in a place that restricts its rows, or with an
equality of agency_id to a table that is so bound. An insert needs an agency_id in every row. Raw SQL is refused unless
it carries the mark that only `storage.bulk` and the engine's own housekeeping set. Forms of SQL that this cannot read
are refused too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from weakref import WeakSet

from sqlalchemy import (
    Alias,
    BindParameter,
    Column,
    CompoundSelect,
    Delete,
    FromClause,
    Insert,
    Join,
    Select,
    Subquery,
    Table,
    TextClause,
    Update,
    event,
)
from sqlalchemy.engine import Compiled, Connection
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import BinaryExpression, BooleanClauseList, ClauseElement, Grouping, Null
from sqlalchemy.sql.selectable import CTE, SelectBase

from storage.tables import TENANT_TABLES

_RAW: Final = "fanwatch_raw"
_MARK: Final = object()

RAW: Final[Mapping[str, Any]] = {_RAW: _MARK}
"""Execution options of raw SQL whose author has checked the agency: `storage.bulk` and the engine only."""

_passed: WeakSet[Compiled] = WeakSet()
"""What has passed, in the form the engine keeps it: it says nothing of values, so neither does the check."""


class TenancyError(RuntimeError):
    """A statement would have reached beyond one agency. A mistake in the program, never the user's."""


def guard(engine: AsyncEngine) -> None:
    """Refuse, from now on, every statement on this engine that is not bound to one agency."""
    event.listen(engine.sync_engine, "before_execute", _before_execute)
    event.listen(engine.sync_engine, "before_cursor_execute", _before_cursor)


def _before_execute(
    _: Connection,
    statement: Any,
    many: Sequence[Mapping[str, Any]],
    one: Mapping[str, Any],
    _options: Mapping[str, Any],
) -> None:
    # What an insert writes is in its values, and so is another at each call.
    if isinstance(statement, Insert) or not isinstance(statement, SelectBase | Update | Delete):
        check(statement, [*many, one] if one else many)


def _before_cursor(_c: Connection, _k: Any, statement: str, _p: Any, context: Any, _m: bool) -> None:
    if context is None:
        return
    compiled = context.compiled
    if compiled is None:
        if context.execution_options.get(_RAW) is not _MARK:
            raise TenancyError(f"raw SQL outside storage.bulk: {statement[:60]!r}")
    elif compiled not in _passed:
        if not isinstance(compiled.statement, Insert):
            check(compiled.statement)
        _passed.add(compiled)


def check(statement: Any, rows: Sequence[Mapping[str, Any]] = ()) -> None:
    """Raise TenancyError unless the statement is bound to one agency. `rows`: what comes beside an insert."""
    if isinstance(statement, Insert):
        _check_insert(statement, rows)
    elif isinstance(statement, SelectBase):
        _check_query(statement, frozenset())
    elif isinstance(statement, Update | Delete):
        _check_change(statement)
    else:
        raise TenancyError(f"{type(statement).__name__} is no statement of the product")


# --- queries --------------------------------------------------------------------------------------------------------


def _check_query(query: SelectBase, outer: frozenset[FromClause]) -> None:
    """`outer`: the sources of the query around that are bound, which this one may correlate with."""
    if isinstance(query, CompoundSelect):
        for part in query.selects:
            _check_query(_unwrapped(part), outer)
        return
    if not isinstance(query, Select):
        raise TenancyError(f"{type(query).__name__} is no query that can be checked")
    bound: set[FromClause] = set(outer)
    sources: list[FromClause] = []
    joins: list[Join] = []
    for source in query.get_final_froms():
        _collect(source, sources, joins)
    for source in sources:
        _check_source(source, bound)
    _bind(query.whereclause, joins, bound)
    for source in sources:
        if _is_tenant(source) and source not in bound:
            raise TenancyError(f"{_name(source)} without an agency_id equality")
    _check_nested(query, frozenset(bound))
    for join in joins:
        if join.onclause is not None:
            _check_nested(join.onclause, frozenset(bound))


def _unwrapped(part: Any) -> Any:
    return part.element if isinstance(part, Grouping) or hasattr(part, "select_statement") else part


def _collect(source: FromClause, sources: list[FromClause], joins: list[Join]) -> None:
    if isinstance(source, Join):
        joins.append(source)
        _collect(source.left, sources, joins)
        _collect(source.right, sources, joins)
    else:
        sources.append(source)


def _check_source(source: FromClause, bound: set[FromClause]) -> None:
    if isinstance(source, Subquery | CTE):
        _check_query(_unwrapped(source.element), frozenset())
        # Its rows come from bound tables only, so an agency_id among them is the bound one.
        bound.add(source)
    elif not isinstance(source, Table) and not (
        isinstance(source, Alias) and isinstance(source.element, Table)
    ):
        raise TenancyError(f"{type(source).__name__} is no source that can be checked")


def _is_tenant(source: FromClause) -> bool:
    table = source.element if isinstance(source, Alias) else source
    return isinstance(table, Table) and table.name in TENANT_TABLES


def _name(source: FromClause) -> str:
    return str(getattr(source, "name", source))


def _bind(where: ClauseElement | None, joins: list[Join], bound: set[FromClause]) -> None:
    """Add to `bound` every source that an equality of agency_id restricts, until nothing more follows."""
    rules: list[tuple[BinaryExpression[Any], frozenset[FromClause] | None]] = [
        (term, None) for term in _terms(where)
    ]
    for join in joins:
        restricts: frozenset[FromClause] | None = None
        if join.full:
            continue
        if join.isouter:
            # The left side's rows stay whatever the condition says.
            right: list[FromClause] = []
            _collect(join.right, right, [])
            restricts = frozenset(right)
        rules += [(term, restricts) for term in _terms(join.onclause)]
    more = True
    while more:
        more = False
        for term, restricts in rules:
            for side, other in ((term.left, term.right), (term.right, term.left)):
                source = _agency_of(side)
                if source is None or source in bound or (restricts is not None and source not in restricts):
                    continue
                if isinstance(other, BindParameter) or _agency_of(other) in bound:
                    bound.add(source)
                    more = True


def _terms(clause: Any) -> Iterator[BinaryExpression[Any]]:
    """The equalities that all hold at once."""
    if isinstance(clause, Grouping):
        yield from _terms(clause.element)
    elif isinstance(clause, BooleanClauseList) and clause.operator is operators.and_:
        for part in clause.clauses:
            yield from _terms(part)
    elif isinstance(clause, BinaryExpression) and clause.operator is operators.eq:
        yield clause


def _agency_of(side: Any) -> FromClause | None:
    """The source whose agency_id this is."""
    if getattr(side, "name", None) != "agency_id" or not hasattr(side, "table"):
        return None
    source: FromClause | None = side.table
    return source


def _check_nested(element: ClauseElement, bound: frozenset[FromClause]) -> None:
    """Check the queries inside of conditions and columns; those in FROM have been."""
    waiting: list[Any] = list(element.get_children())
    while waiting:
        child = waiting.pop()
        if isinstance(child, TextClause):
            raise TenancyError("raw SQL inside a statement")
        if isinstance(child, Subquery | CTE | Table | Alias | Join):
            continue
        if isinstance(child, SelectBase):
            inner = _unwrapped(child)
            if inner is child or isinstance(inner, Select | CompoundSelect):
                _check_query(inner, bound)
            continue
        waiting.extend(child.get_children())


# --- changes --------------------------------------------------------------------------------------------------------


def _check_change(statement: Update | Delete) -> None:
    table = statement.table
    bound: set[FromClause] = set()
    _bind(statement.whereclause, [], bound)
    if not isinstance(table, Table):
        raise TenancyError("only tables can be changed")
    if table.name in TENANT_TABLES and table not in bound:
        raise TenancyError(f"{table.name} changed without an agency_id equality")
    for source in _sources_of(statement):
        if source is not table and source not in bound and _is_tenant(source):
            raise TenancyError(f"{_name(source)} without an agency_id equality")
    _check_nested(statement, frozenset(bound))


def _sources_of(statement: Update | Delete) -> set[FromClause]:
    """The sources its conditions and values name, besides those of queries inside."""
    found: set[FromClause] = set()
    waiting: list[Any] = list(statement.get_children())
    while waiting:
        child = waiting.pop()
        if isinstance(child, SelectBase | FromClause):
            continue
        if isinstance(child, Column) and isinstance(child.table, FromClause):
            found.add(child.table)
        waiting.extend(child.get_children())
    return found


def _check_insert(statement: Insert, rows: Sequence[Mapping[str, Any]]) -> None:
    table = statement.table
    if not isinstance(table, Table) or table.name not in TENANT_TABLES:
        return
    if statement.select is not None:
        if "agency_id" not in (statement._select_names or ()):
            raise TenancyError(f"{table.name}: insert without agency_id")
        _check_query(statement.select, frozenset())
        return
    given = [_named(statement._values or {})]
    given += [_named(row) for part in statement._multi_values for row in part]
    if _has_agency(given[0]):
        return
    own = [row for row in [*given[1:], *rows] if row]
    if not own or not all(_has_agency(row) for row in own):
        raise TenancyError(f"{table.name}: insert without agency_id")


def _has_agency(row: Mapping[str, Any]) -> bool:
    value = row.get("agency_id")
    if isinstance(value, BindParameter):
        value = value.value
    return value is not None and not isinstance(value, Null)


def _named(values: Any) -> dict[str, Any]:
    return {str(getattr(key, "key", key)): value for key, value in dict(values).items()}
