"""`python -m bot import`: a file of payments, fans or notes into the history of one creator.

The whole file is looked at first. Then batches of rows are written, each in one transaction with how far the file has
come, so that a killed import goes on where it was.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bot.cli import kinds
from bot.cli.cells import Cells, RejectError
from bot.cli.kinds import COLUMNS, CREATOR_COLUMN, NEEDED, Kind, Payment
from bot.cli.opening import (
    EXIT_FAILED,
    EXIT_OK,
    CommandError,
    Office,
    Stop,
    find_creators,
    open_office,
    report,
    say,
    stopping,
)
from bot.cli.progress import progress
from bot.cli.reading import FileError, Row, Source, column_key, file_hash, open_source, read_rows
from bot.cli.rejects import Rejects
from bot.config import load_database_settings
from bot.domain.models import TransactionRecord
from bot.domain.zones import close_zones, find_zone, local_day
from storage import creator_settings, fans, imports
from storage.engine import Tx
from storage.ids import machine_ms
from storage.imports import CONTENT_ID, Counts, ImportRun
from storage.roster import Creator

BATCH_ROWS = 1_000
_MARKS_BITS = 27
"""Two to this many bits, 16 MB, say which payments may have an equal one, however long the file is."""
_TOLD_REASONS = 20
_PARSERS: Mapping[Kind, Callable[[Cells], Any]] = {
    "transactions": kinds.to_payment,
    "fans": kinds.to_fan,
    "notes": kinds.to_note,
}


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What the operator asked for. `mapping`: `our_field=their_column` each. `rejects` None: beside the file."""

    file: Path
    kind: Kind
    creator: str
    dry_run: bool = False
    rejects: Path | None = None
    mapping: tuple[str, ...] = ()
    zone: str | None = None
    skip_rejects: bool = False
    again: bool = False


class _DryRunOverError(Exception):
    """Takes back all that a dry run wrote."""


class _StoppedError(Exception):
    """The operator has asked for an end."""


async def run_import(options: ImportOptions, env_file: str | None, *, batch_rows: int = BATCH_ROWS) -> int:
    """Import a file; the exit code. Raises CommandError and SettingsError."""
    settings = load_database_settings(env_file)
    names = _names(options)
    zone = _zone(options.zone)
    try:
        source = open_source(options.file, [*names.values(), *COLUMNS[options.kind]])
        _check_header(options, names, source)
        async with open_office(settings) as office:
            creator = (await find_creators(office.store, options.creator))[0]
            with stopping() as stop:
                work = _Import(options, office, creator, source, names, zone, stop, batch_rows)
                return await work.run()
    except FileError as problem:
        raise CommandError(f"{options.file}: {problem}") from problem


def _names(options: ImportOptions) -> dict[str, str]:
    """Our column -> theirs, for those that are called otherwise. Empty: there is none."""
    ours = (*COLUMNS[options.kind], CREATOR_COLUMN)
    names: dict[str, str] = {}
    for pair in options.mapping:
        our, equals, their = pair.partition("=")
        our = our.strip()
        if not equals or our not in ours:
            raise CommandError(f"--map: expected FIELD=COLUMN with one of {', '.join(ours)}, not {pair!r}")
        if our in names:
            raise CommandError(f"--map: {our} is given twice")
        names[our] = their.strip()
    return names


def _zone(typed: str | None) -> ZoneInfo | None:
    if typed is None:
        return None
    name = find_zone(typed)
    if name is None:
        like = ", ".join(close_zones(typed))
        raise CommandError(f"--zone: there is no zone {typed!r}" + (f"; is it {like}?" if like else ""))
    return ZoneInfo(name)


def _check_header(options: ImportOptions, names: Mapping[str, str], source: Source) -> None:
    if source.header is None:
        return
    header = {column_key(name) for name in source.header}
    for our, their in names.items():
        if their and column_key(their) not in header:
            raise CommandError(f"--map: {options.file} has no column {their!r} for {our}")
    for group in NEEDED[options.kind]:
        if not any(column_key(names.get(our, our)) in header for our in group):
            wanted = " or ".join(group)
            raise CommandError(
                f"{options.file}: has no column {wanted}; name it with --map {group[0]}=COLUMN"
            )
    used = {column_key(names.get(our, our)) for our in (*COLUMNS[options.kind], CREATOR_COLUMN)}
    unused = [name for name in source.header if column_key(name) not in used]
    if unused:
        say(f"columns that are not read: {', '.join(map(repr, unused[:20]))}")


class _Repeats:
    """Numbers payments that have no id: equal ones one after the other, from 1.

    A first pass marks which may have an equal one; only these are counted in the second.
    """

    def __init__(self) -> None:
        self._marks = bytearray(1 << (_MARKS_BITS - 3))
        self._counts: dict[bytes, int] = {}

    def note(self, record: TransactionRecord) -> None:
        key = imports.content_key(record)
        bit = int.from_bytes(key[:8], "big") >> (64 - _MARKS_BITS)
        if self._marks[bit >> 3] >> (bit & 7) & 1:
            self._counts[key] = 0
        self._marks[bit >> 3] |= 1 << (bit & 7)

    def name(self, record: TransactionRecord) -> TransactionRecord:
        key = imports.content_key(record)
        number = 1
        if key in self._counts:
            number = self._counts[key] = self._counts[key] + 1
        return replace(record, platform_transaction_id=f"{CONTENT_ID}{key.hex()}:{number}")


@dataclass(frozen=True, slots=True)
class _Batch:
    """Records that follow each other in the file. `done`: rows of the file up to the last of them."""

    records: list[Any]
    rows: int
    done: int


class _Import:
    """One file on its way into one creator's history."""

    def __init__(
        self,
        options: ImportOptions,
        office: Office,
        creator: Creator,
        source: Source,
        names: Mapping[str, str],
        zone: ZoneInfo | None,
        stop: Stop,
        batch_rows: int,
    ) -> None:
        self._options = options
        self._office = office
        self._store = office.store
        self._creator = creator
        self._source = source
        self._names = names
        self._zone = zone
        self._stop = stop
        self._batch_rows = batch_rows
        self._now_ms = office.clock.now_ms()
        self._hash = self._file_hash()
        self._repeats = _Repeats()
        self._hers = {column_key(name) for name in (options.creator, creator.name, creator.account_id)}

    def _file_hash(self) -> str:
        """Of the content and of what it means: with another --map or --zone it is another file."""
        said = [file_hash(self._options.file), *sorted(f"{k}={v}" for k, v in self._names.items())]
        said.append(self._zone.key if self._zone is not None else "")
        return hashlib.sha256("\n".join(said).encode()).hexdigest()

    async def run(self) -> int:
        options = self._options
        async with self._store.read() as tx:
            run = await imports.find_run(tx, self._creator.id, options.kind, self._hash)
        if run is not None and run.finished_at is not None and not options.again and not options.dry_run:
            day = local_day(run.finished_at, self._office.agency.timezone or "")
            report(
                f"imported already, on {day}: {run.rows - run.rows_rejected:,} rows (--again does it again)"
            )
            return EXIT_OK
        target = options.rejects or options.file.with_name(f"{options.file.name}.rejects.csv")
        if target.resolve() == options.file.resolve():
            raise CommandError("--rejects: is the file to be imported itself")
        with Rejects(target, self._source.header) as rejects:
            rows = await self._validate(rejects)
            if rows is None:
                say("stopped: nothing was imported by this run")
                return EXIT_FAILED
            rejects.keep()
            if rejects.total:
                self._tell_rejects(rejects, rows)
                if not options.skip_rejects:
                    report("nothing was imported; mend the rows, or import the others with --skip-rejects")
                    return EXIT_FAILED
        if options.dry_run:
            return await self._try_out(rows)
        return await self._apply(run, rows, rejects.total)

    # --- looking at all of it ------------------------------------------------------------------------------------

    async def _validate(self, rejects: Rejects) -> int | None:
        """How many rows the file has; None: stopped."""
        rows = others = 0
        with progress("checking", None) as advance:
            for row in read_rows(self._source):
                rows += 1
                if rows % self._batch_rows == 0:
                    advance(self._batch_rows)
                    # The loop has to run for a Ctrl-C to be heard.
                    await asyncio.sleep(0)
                    if self._stop.asked:
                        return None
                try:
                    record = self._parse(row)
                except RejectError as error:
                    rejects.add(row, str(error))
                    continue
                if record is None:
                    others += 1
                elif isinstance(record, Payment) and not record.numbered:
                    self._repeats.note(record.record)
        if not rows:
            raise FileError("it has no rows")
        if others == rows:
            raise FileError(
                f"its column {self._names.get(CREATOR_COLUMN, CREATOR_COLUMN)!r} names {self._creator.name} nowhere;"
                f" --map {CREATOR_COLUMN}= leaves it unread"
            )
        if others:
            say(f"{others:,} of {rows:,} rows are of other creators and are left out")
        return rows

    def _parse(self, row: Row) -> Any:
        """The row as a record; None: it is another creator's. Raises RejectError."""
        if row.problem is not None:
            raise RejectError(row.problem)
        cells = Cells(row.cells, self._names, self._zone, self._now_ms)
        whose = cells.text(CREATOR_COLUMN)
        if whose and column_key(whose) not in self._hers:
            return None
        return _PARSERS[self._options.kind](cells)

    def _tell_rejects(self, rejects: Rejects, rows: int) -> None:
        report(f"{rejects.total:,} of {rows:,} rows are refused; they are in {rejects.target}:")
        told = rejects.reasons.most_common(_TOLD_REASONS)
        for reason, count in told:
            report(f"  {count:,} x {reason}")
        if len(told) < len(rejects.reasons):
            report(f"  and {len(rejects.reasons) - len(told)} other reasons")

    # --- writing it -----------------------------------------------------------------------------------------------

    def _batches(self, done: int) -> Iterator[_Batch]:
        """The good rows after the first `done`. Those before are read too: equal payments are numbered from the first."""
        records: list[Any] = []
        number = since = 0
        for number, row in enumerate(read_rows(self._source), 1):
            try:
                record = self._parse(row)
            except RejectError:
                record = None
            if isinstance(record, Payment):
                record = record.record if record.numbered else self._repeats.name(record.record)
            if number <= done:
                continue
            since += 1
            if record is not None:
                records.append(record)
            if since == self._batch_rows:
                yield _Batch(records, since, number)
                records, since = [], 0
        if since:
            yield _Batch(records, since, number)

    async def _write(self, tx: Tx, batch: _Batch, run_id: int) -> Counts:
        if not batch.records:
            return Counts()
        creator_id = self._creator.id
        if self._options.kind == "notes":
            return await imports.apply_notes(tx, creator_id, batch.records, self._now_ms, machine_ms())
        if self._options.kind == "fans":
            counts = await imports.apply_fans(tx, creator_id, batch.records, self._now_ms, run_id)
        else:
            counts = await imports.apply_payments(tx, creator_id, batch.records, self._now_ms)
        if counts.new or counts.changed:
            await creator_settings.look_again(tx, creator_id, self._now_ms)
        return counts

    async def _try_out(self, rows: int) -> int:
        """Do it all in one transaction and take it back."""
        total, new_fans = Counts(), 0

        async def write(tx: Tx) -> None:
            nonlocal total, new_fans
            before = await fans.count(tx, self._creator.id)
            with progress("trying out", rows) as advance:
                for batch in self._batches(0):
                    if self._stop.asked:
                        raise _StoppedError
                    total += await self._write(tx, batch, 0)
                    advance(batch.rows)
            new_fans = await fans.count(tx, self._creator.id) - before
            raise _DryRunOverError

        try:
            await self._store.write(write)
        except _DryRunOverError:
            report(f"dry run for {self._creator.name}, nothing was changed: {_sum_up(total, new_fans)}")
            return EXIT_OK
        except _StoppedError:
            say("stopped: nothing was changed")
        return EXIT_FAILED

    async def _apply(self, run: ImportRun | None, rows: int, rejected: int) -> int:
        kept = await self._store.write(lambda tx: self._open(tx, run, rows, rejected))
        async with self._store.read() as tx:
            before = await fans.count(tx, self._creator.id)
        total, done = Counts(), kept.rows_done
        if done:
            say(f"going on after row {done:,} of {rows:,}")
        with progress("importing", rows, done) as advance:
            for batch in self._batches(done):
                if self._stop.asked:
                    say(f"stopped after row {done:,} of {rows:,}; the same command goes on from there")
                    return EXIT_FAILED

                async def write(tx: Tx, batch: _Batch = batch) -> Counts:
                    counts = await self._write(tx, batch, kept.id)
                    await imports.mark(tx, kept.id, batch.done)
                    return counts

                total += await self._store.write(write)
                done = batch.done
                advance(batch.rows)
        await self._store.write(lambda tx: imports.finish(tx, kept.id, self._office.clock.now_ms()))
        async with self._store.read() as tx:
            new_fans = await fans.count(tx, self._creator.id) - before
        refused = f"; {rejected:,} refused" if rejected else ""
        report(f"imported for {self._creator.name}: {_sum_up(total, new_fans)}{refused}")
        return EXIT_OK

    async def _open(self, tx: Tx, run: ImportRun | None, rows: int, rejected: int) -> ImportRun:
        if run is None:
            return await imports.open_run(
                tx,
                self._creator.id,
                self._options.kind,
                self._hash,
                rows=rows,
                rows_rejected=rejected,
                now_ms=self._now_ms,
            )
        if self._options.again:
            return await imports.start_over(tx, run, rows_rejected=rejected, now_ms=self._now_ms)
        return run


def _sum_up(counts: Counts, new_fans: int) -> str:
    fans_said = f"; fans seen for the first time: {new_fans:,}" if new_fans else ""
    return f"{counts.new:,} new, {counts.known:,} known, {counts.changed:,} changed{fans_said}"
