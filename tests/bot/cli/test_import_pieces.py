"""However often an import is broken off, the database ends as after one that was not."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.cli.cells import Cells, RejectError
from bot.cli.importing import ImportOptions, _Import, run_import
from bot.cli.reading import FileError, open_source, read_rows
from storage import roster
from storage.engine import Storage
from storage.imports import Counts
from storage.tables import fan_accounts, notes, transactions
from tests.bot.cli.conftest import rows
from tests.storage.conftest import NOW, ROSTER

_few = st.integers(0, 3)
_names = st.sampled_from(["", "ann", "=1+1", 'q"uo,te', "two\nlines", "Ünï🦊"])
_payment = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["", "", "", "a", "b", "c"]),
        "fan_id": _few.map(str),
        "username": _names,
        "kind": st.sampled_from(["", "tip", "message", "chargeback"]),
        "amount": st.sampled_from(["5", "5.00", "1,234.50", "$7.1"]),
        "status": st.sampled_from(["", "done", "loading", "refunded"]),
        "at": st.sampled_from(["2026-02-01T10:00:00Z", "2026-02-01T11:00:00+01:00", "2026-02-02T10:00:00Z"]),
    }
)
_PAYMENT = {
    "id": "",
    "fan_id": "0",
    "username": "",
    "kind": "",
    "amount": "5",
    "status": "",
    "at": "2026-02-01T10:00:00Z",
}
_fan = st.fixed_dictionaries(
    {
        "id": _few.map(str),
        "username": _names,
        "name": _names,
        "total": st.sampled_from(["", "5", "9.99"]),
        "subscribed": st.sampled_from(["", "yes", "no"]),
        "expires_at": st.sampled_from(["", "2026-02-01T10:00:00Z", "2026-05-01T10:00:00Z"]),
    }
)
_note = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["", "n1", "n2"]),
        "fan_id": _few.map(str),
        "username": _names,
        "text": st.sampled_from(["likes boats", "=HYPERLINK(1)", "a\nb"]),
        "author_id": st.just("302000000000000001"),
        "at": st.sampled_from(["2026-02-01T10:00:00Z", "2026-02-02T10:00:00Z"]),
    }
)
_files = st.one_of(
    st.tuples(st.just("transactions"), st.lists(_payment, min_size=1, max_size=12)),
    st.tuples(st.just("fans"), st.lists(_fan, min_size=1, max_size=12)),
    st.tuples(st.just("notes"), st.lists(_note, min_size=1, max_size=12)),
)


def _csv(found: Sequence[Mapping[str, str]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(found[0]))
    writer.writeheader()
    writer.writerows(found)
    return text.getvalue()


@cache
def _fresh() -> bytes:
    """A migrated database with the agency in it, made once."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/fanwatch.db"

        async def make() -> None:
            async with await Storage.open(url) as storage:
                await roster.apply_roster(storage, ROSTER, NOW)

        asyncio.run(make())
        return (Path(folder) / "fanwatch.db").read_bytes()


class _KilledError(Exception):
    """As if the process had gone away between two transactions, or inside one."""


async def _state(folder: Path, file: Path, kind: Any, batches: Sequence[int], cuts: Sequence[int]) -> Any:
    """What is in the database after the import was killed after each of `cuts` batches, and then let through."""
    url = f"sqlite:///{folder}/fanwatch.db"
    options = ImportOptions(file, kind, "Ava")
    with mock.patch.dict(os.environ, {"DATABASE_URL": url, "DISCORD_GUILD_ID": "", "CLOCK_URL": ""}):
        for number, cut in enumerate(cuts):
            written = 0
            real = _Import._write

            async def write(
                self: Any, tx: Any, batch: Any, run_id: int, cut: int = cut, real: Any = real
            ) -> Counts:
                nonlocal written
                if written == cut:
                    await real(self, tx, batch, run_id)
                    raise _KilledError
                written += 1
                return await real(self, tx, batch, run_id)

            with mock.patch.object(_Import, "_write", write):
                try:
                    await run_import(options, None, batch_rows=batches[number % len(batches)])
                except _KilledError:
                    continue
                break
        assert await run_import(options, None, batch_rows=batches[-1]) == 0
    async with await Storage.open(url) as storage:
        store = storage.agency((await storage.system.list_agencies())[0].id)
        t = await rows(
            store,
            transactions,
            "platform_transaction_id",
            "kind",
            "amount_cents",
            "status",
            "counted",
            "occurred_at",
        )
        f = await rows(
            store,
            fan_accounts,
            "platform_fan_id",
            "username",
            "name",
            "total_cents",
            "subscribed",
            "expires_at",
            "purchase_count",
            "paid",
            "last_purchase_at",
        )
        n = await rows(store, notes, "text", "author_id", "form_id", "created_at")
        return t, f, n


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    found=_files,
    batches=st.lists(st.integers(1, 5), min_size=1, max_size=3),
    cuts=st.lists(st.integers(0, 3), max_size=3),
)
@example(
    found=("transactions", [{**_PAYMENT, "id": "a"}, {**_PAYMENT, "id": ""}]),
    batches=[1],
    cuts=[],
)
def test_an_import_in_pieces_is_the_import_in_one(found: Any, batches: list[int], cuts: list[int]) -> None:
    kind, table = found
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        file = Path(one) / "rows.csv"
        file.write_bytes(_csv(table).encode())
        for folder in (one, other):
            (Path(folder) / "fanwatch.db").write_bytes(_fresh())
        whole = asyncio.run(_state(Path(one), file, kind, [1_000], []))
        pieces = asyncio.run(_state(Path(other), file, kind, batches, cuts))
    assert pieces == whole


@settings(max_examples=150, deadline=None)
@given(content=st.binary(max_size=300), json_first=st.booleans())
def test_no_content_makes_reading_break(content: bytes, json_first: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows"
        path.write_bytes((b"[" if json_first else b"fan_id,amount,at\n") + content)
        try:
            found = list(read_rows(open_source(path, ["fan_id", "amount", "at"])))
        except FileError:
            return
        assert all(row.problem is None or row.cells == {} for row in found)


@settings(max_examples=100, deadline=None)
@given(
    table=st.lists(st.tuples(_names, st.text(max_size=8).filter(lambda t: "\r" not in t)), min_size=1),
    delimiter=st.sampled_from(",;\t"),
    bom=st.booleans(),
)
def test_what_a_spreadsheet_writes_is_read_as_it_was(table: Any, delimiter: str, bom: bool) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(["fan_id", "text"])
    writer.writerows(table)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.csv"
        path.write_bytes(text.getvalue().encode("utf-8-sig" if bom else "utf-8"))
        found = [row.cells for row in read_rows(open_source(path, ["fan_id", "text"]))]
    wanted = [{"fan_id": a, "text": b} for a, b in table if a.strip() or b.strip()]
    assert found == wanted


@settings(max_examples=100, deadline=None)
@given(table=st.lists(st.dictionaries(st.sampled_from(["a", "b"]), st.text() | st.integers() | st.none())))
@pytest.mark.parametrize("form", ["array", "indented", "lines"])
def test_json_is_read_as_it_was(form: str, table: list[dict[str, Any]]) -> None:
    if form == "lines":
        text = "\n".join(json.dumps(row) for row in table)
    else:
        text = json.dumps(table, indent=2 if form == "indented" else None)
    with tempfile.TemporaryDirectory() as folder, mock.patch("bot.cli.reading._CHUNK", 7):
        path = Path(folder) / "rows.json"
        path.write_text(text, encoding="utf-8")
        if not text.strip():
            return
        found = [row.cells for row in read_rows(open_source(path, []))]
    assert found == [{k: str(v) for k, v in row.items() if v is not None} for row in table]


@pytest.mark.parametrize(
    ("text", "cents"),
    [("12", 1_200), ("12.5", 1_250), ("$12.50", 1_250), ("-$3.00", -300), ("1,234.50", 123_450), ("0", 0)],
)
def test_amounts_that_can_be_meant_in_one_way_only(text: str, cents: int) -> None:
    assert Cells({"amount": text}, {}, None, NOW).money("amount") == cents


@pytest.mark.parametrize(
    "text",
    [
        "1.234,50",
        "1,234",
        "12,50",
        "12.345",
        "1e3",
        "NaN",
        "(5.00)",
        "5-",
        "१२",
        "12 USD",
        "1,23.00",
        "=5",
        "--5",
    ],
)
def test_an_amount_that_could_be_meant_otherwise_is_refused(text: str) -> None:
    with pytest.raises(RejectError, match="amount: is no amount"):
        Cells({"amount": text}, {}, None, NOW).money("amount")


@pytest.mark.parametrize(
    "text",
    ["01/02/2026", "2026-02-30", "2026-02-01T25:00Z", "20260201", "2026-W01-1", "1770000000", "2026-02-01"],
)
def test_a_date_that_could_be_meant_otherwise_is_refused(text: str) -> None:
    with pytest.raises(RejectError):
        Cells({"at": text}, {}, None, NOW).instant("at")
