"""Files of payments, fans and notes: what of a batch is new, and how far an interrupted file has come.

However a file is cut into batches, the rows end the same: a row is judged by what is stored and by the rows before it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import msgspec
from sqlalchemy import insert, select, update

from bot.domain.models import FanRecord, TransactionRecord
from bot.domain.notes import NoteOrigin
from storage import audit, card_views, cards, notes
from storage.fans import apply_fan_page, clean_text, ensure_fans
from storage.parts import in_parts
from storage.tables import fan_accounts, import_runs, transactions
from storage.tables import notes as note_rows
from storage.transactions import VOID_STATUSES, apply_transactions
from storage.tx import Tx

CONTENT_ID = "import:"
"""How the id begins of a payment whose file gave it none; no platform's does."""
_FAN_FIELDS = tuple(field.name for field in fields(FanRecord) if field.name != "periods")
_r, _t, _f = import_runs.c, transactions.c, fan_accounts.c


@dataclass(frozen=True, slots=True)
class ImportRun:
    """A file on its way in, or a backfill: `rows_done` of `rows` have been dealt with. `finished_at` None: not all."""

    id: int
    creator_id: int
    kind: str
    rows: int
    rows_done: int
    rows_rejected: int
    cursor: str | None
    started_at: int
    finished_at: int | None


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows that were new, that said nothing new, and that changed what was known."""

    new: int = 0
    known: int = 0
    changed: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.new + other.new, self.known + other.known, self.changed + other.changed)


@dataclass(frozen=True, slots=True)
class ImportedNote:
    """A note from a file. `note_id` None: the file names none. `author_id` is a Discord user."""

    note_id: str | None
    platform_fan_id: str
    username: str | None
    author_id: int
    text: str
    at: int


# --- how far a file has come ---------------------------------------------------------------------------------------


async def find_run(tx: Tx, creator_id: int, kind: str, file_hash: str) -> ImportRun | None:
    """The import of this very file; None: it has never been begun."""
    row = await tx.first(
        select(*(_r[field.name] for field in fields(ImportRun))).where(
            _r.agency_id == tx.agency_id,
            _r.creator_id == creator_id,
            _r.kind == kind,
            _r.file_hash == file_hash,
        )
    )
    return None if row is None else ImportRun(*row)


async def open_run(
    tx: Tx, creator_id: int, kind: str, file_hash: str, *, rows: int, rows_rejected: int, now_ms: int
) -> ImportRun:
    run_id = tx.ids.next()
    await tx.execute(
        insert(import_runs).values(
            agency_id=tx.agency_id,
            id=run_id,
            creator_id=creator_id,
            kind=kind,
            file_hash=file_hash,
            rows=rows,
            rows_done=0,
            rows_rejected=rows_rejected,
            started_at=now_ms,
        )
    )
    return ImportRun(run_id, creator_id, kind, rows, 0, rows_rejected, None, now_ms, None)


async def start_over(tx: Tx, run: ImportRun, *, rows_rejected: int, now_ms: int) -> ImportRun:
    """The same file once more, from its first row."""
    await _set(
        tx, run.id, rows_done=0, rows_rejected=rows_rejected, cursor=None, started_at=now_ms, finished_at=None
    )
    return replace(
        run, rows_done=0, rows_rejected=rows_rejected, cursor=None, started_at=now_ms, finished_at=None
    )


async def mark(tx: Tx, run_id: int, rows_done: int, cursor: str | None = None) -> None:
    """Keep how far it has come, in the transaction of what it wrote."""
    await _set(tx, run_id, rows_done=rows_done, cursor=cursor)


async def finish(tx: Tx, run_id: int, now_ms: int) -> None:
    await _set(tx, run_id, finished_at=now_ms, cursor=None)


async def _set(tx: Tx, run_id: int, **values: object) -> None:
    await tx.execute(
        update(import_runs).where(_r.agency_id == tx.agency_id, _r.id == run_id).values(**values)
    )


# --- payments ------------------------------------------------------------------------------------------------------


def content_key(record: TransactionRecord) -> bytes:
    """What tells payments without an id apart: the same for equal ones, in every process."""
    said = (
        record.platform_fan_id,
        record.kind.value,
        record.amount_cents,
        record.currency,
        record.occurred_at,
    )
    return hashlib.blake2b(msgspec.json.encode(said), digest_size=16).digest()


async def apply_payments(
    tx: Tx, creator_id: int, records: Sequence[TransactionRecord], now_ms: int
) -> Counts:
    """Keep the payments that are new. Of a known one only the status may change, and never back from void.

    One without an id of its own is known too where a payment of that fan, instant and amount that has one is stored or
    came before it: what is new is the same however the file is cut into batches.
    """
    stored = await _statuses(tx, creator_id, [r.platform_transaction_id for r in records])
    shown = await _shown_by_api(tx, creator_id, records)
    kept: dict[str, TransactionRecord] = {}
    new = known = changed = 0
    for record in records:
        key = record.platform_transaction_id
        earlier = kept.get(key)
        if earlier is None and key not in stored and _is_shown(record, shown):
            known += 1
            continue
        if earlier is None and key not in stored:
            kept[key] = record
            new += 1
            if not key.startswith(CONTENT_ID):
                alike = (record.platform_fan_id, record.occurred_at, record.amount_cents)
                shown[alike] = shown.get(alike, 0) + 1
            continue
        before = stored[key] if earlier is None else earlier.status
        status = _later_status(before, record.status)
        if status == before:
            known += 1
            continue
        changed += 1
        kept[key] = replace(record if earlier is None else earlier, status=status)
    # A fan's first row names her, wherever a batch ends.
    named: dict[str | None, str | None] = {}
    for record in kept.values():
        named.setdefault(record.platform_fan_id, record.username)
    wanted = [replace(record, username=named[record.platform_fan_id]) for record in kept.values()]
    await apply_transactions(tx, creator_id, wanted, now_ms)
    return Counts(new, known, changed)


def _later_status(before: str | None, said: str | None) -> str | None:
    if said is None or (before is not None and before.lower() in VOID_STATUSES):
        return before
    return said


async def _statuses(tx: Tx, creator_id: int, ids: list[str]) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for part in in_parts(sorted(set(ids))):
        rows = await tx.all(
            select(_t.platform_transaction_id, _t.status).where(
                _t.agency_id == tx.agency_id,
                _t.creator_id == creator_id,
                _t.platform_transaction_id.in_(part),
            )
        )
        found.update((row.platform_transaction_id, row.status) for row in rows)
    return found


async def _shown_by_api(
    tx: Tx, creator_id: int, records: Sequence[TransactionRecord]
) -> dict[tuple[str | None, int, int], int]:
    """(platform fan id, instant, cents) -> how many payments with an id of the platform's are stored."""
    instants = sorted({r.occurred_at for r in records if r.platform_transaction_id.startswith(CONTENT_ID)})
    found: dict[tuple[str | None, int, int], int] = {}
    for part in in_parts(instants):
        rows = await tx.all(
            select(_f.platform_fan_id, _t.occurred_at, _t.amount_cents)
            .select_from(
                transactions.join(fan_accounts, (_f.agency_id == _t.agency_id) & (_f.id == _t.fan_account_id))
            )
            .where(
                _t.agency_id == tx.agency_id,
                _t.creator_id == creator_id,
                _t.occurred_at.in_(part),
                _t.platform_transaction_id.not_like(f"{CONTENT_ID}%"),
            )
        )
        for row in rows:
            key = (row.platform_fan_id, row.occurred_at, row.amount_cents)
            found[key] = found.get(key, 0) + 1
    return found


def _is_shown(record: TransactionRecord, shown: dict[tuple[str | None, int, int], int]) -> bool:
    """Whether this one, by its number among equal ones, is among those the API has shown."""
    if not record.platform_transaction_id.startswith(CONTENT_ID):
        return False
    number = int(record.platform_transaction_id.rpartition(":")[2])
    return number <= shown.get((record.platform_fan_id, record.occurred_at, record.amount_cents), 0)


# --- fans ----------------------------------------------------------------------------------------------------------


async def apply_fans(
    tx: Tx, creator_id: int, records: Sequence[FanRecord], now_ms: int, run_id: int
) -> Counts:
    """Write what the file knows more. What is None in a record says nothing, and what the data API has said stays."""
    state = await _load_fans(tx, creator_id, [r.platform_fan_id for r in records])
    touched: dict[str, FanRecord] = {}
    new = known = changed = 0
    for record in map(_cleaned, records):
        key = record.platform_fan_id
        found = state.get(key)
        if found is None:
            state[key] = (record, False)
            touched[key] = record
            new += 1
            continue
        before, by_api = found
        after = _filled_in(before, record, keep=by_api)
        if after == before:
            known += 1
            continue
        changed += 1
        state[key] = (after, by_api)
        touched[key] = after
    if touched:
        await apply_fan_page(tx, creator_id, list(touched.values()), now_ms, run_id)
    return Counts(new, known, changed)


def _cleaned(record: FanRecord) -> FanRecord:
    return replace(
        record,
        username=clean_text(record.username),
        name=clean_text(record.name),
        alias=clean_text(record.alias),
    )


def _filled_in(before: FanRecord, said: FanRecord, *, keep: bool) -> FanRecord:
    values: dict[str, object] = {}
    for name in _FAN_FIELDS:
        value = getattr(said, name)
        if value is not None and not (keep and getattr(before, name) is not None):
            values[name] = value
    return replace(before, **values)  # type: ignore[arg-type]


async def _load_fans(
    tx: Tx, creator_id: int, platform_ids: Sequence[str]
) -> dict[str, tuple[FanRecord, bool]]:
    """Platform fan id -> the fan as stored, and whether that is what the data API has said."""
    ours = {
        row.id
        for row in await tx.all(
            select(_r.id).where(_r.agency_id == tx.agency_id, _r.creator_id == creator_id)
        )
    }
    found: dict[str, tuple[FanRecord, bool]] = {}
    for part in in_parts(sorted(set(platform_ids))):
        rows = await tx.all(
            select(*(_f[name] for name in _FAN_FIELDS), _f.row_hash, _f.seen_run_id).where(
                _f.agency_id == tx.agency_id,
                _f.creator_id == creator_id,
                _f.platform_fan_id.in_(part),
            )
        )
        for row in rows:
            record = FanRecord(**{name: getattr(row, name) for name in _FAN_FIELDS})
            found[record.platform_fan_id] = (record, row.row_hash is not None and row.seen_run_id not in ours)
    return found


# --- notes ---------------------------------------------------------------------------------------------------------


async def apply_notes(
    tx: Tx, creator_id: int, records: Sequence[ImportedNote], now_ms: int, wall_ms: int
) -> Counts:
    """Keep the notes that are new, each on record as its author's. A known one stays as it is by now, or deleted."""
    wanted: dict[str, str | None] = {}
    for record in records:
        wanted.setdefault(record.platform_fan_id, record.username)
    ids = await ensure_fans(tx, creator_id, wanted, now_ms)
    origins = [_origin(record) for record in records]
    known_origins: set[tuple[int, str]] = set()
    for part in in_parts(sorted(set(origins))):
        rows = await tx.all(
            select(note_rows.c.fan_account_id, note_rows.c.form_id).where(
                note_rows.c.agency_id == tx.agency_id,
                note_rows.c.fan_account_id.in_(sorted(set(ids.values()))),
                note_rows.c.form_id.in_(part),
            )
        )
        known_origins.update((row.fan_account_id, row.form_id) for row in rows)
    new = 0
    noted: set[int] = set()
    for record, origin in zip(records, origins, strict=True):
        fan_id = ids[record.platform_fan_id]
        if (fan_id, origin) in known_origins:
            continue
        known_origins.add((fan_id, origin))
        note = await notes.add(
            tx,
            creator_id,
            fan_id,
            record.author_id,
            record.text,
            NoteOrigin("command", form_id=origin),
            record.at,
        )
        await audit.append(tx, record.author_id, "import_note", "note", note.id, creator_id, now_ms, wall_ms)
        noted.add(fan_id)
        new += 1
    shown = [await card_views.card_of_fan(tx, fan_id) for fan_id in sorted(noted)]
    await cards.bump(tx, [card_id for card_id in shown if card_id is not None])
    return Counts(new, len(records) - new, 0)


def _origin(record: ImportedNote) -> str:
    """What tells an imported note from all others: its id in the file, or all that it says."""
    if record.note_id is not None:
        return f"{CONTENT_ID}{record.note_id}"
    said = (record.platform_fan_id, record.author_id, record.at, record.text)
    return CONTENT_ID + hashlib.blake2b(msgspec.json.encode(said), digest_size=16).hexdigest()
