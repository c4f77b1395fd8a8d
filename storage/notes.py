"""Notes on fans. Every edit keeps the text before it; a deleted note keeps its row, so that it can come back."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, func, insert, select, update

from bot.domain.notes import Note, NoteOrigin, NoteVersion
from storage.tables import note_revisions, notes
from storage.tx import Tx

_n, _r = notes.c, note_revisions.c
_SHOWN = (
    _n.id,
    _n.fan_account_id,
    _n.author_id,
    _n.text,
    _n.source,
    _n.source_channel_id,
    _n.source_message_id,
    _n.created_at,
    _n.edited_at,
    _n.edited_by,
    _n.deleted_at,
    _n.version,
)


async def add(
    tx: Tx, creator_id: int, fan_account_id: int, author_id: int, text: str, origin: NoteOrigin, now_ms: int
) -> Note:
    note_id = tx.ids.next()
    await tx.execute(
        insert(notes).values(
            agency_id=tx.agency_id,
            id=note_id,
            creator_id=creator_id,
            fan_account_id=fan_account_id,
            author_id=author_id,
            text=text,
            source=origin.source,
            source_channel_id=origin.channel_id,
            source_message_id=origin.message_id,
            form_id=origin.form_id,
            version=1,
            created_at=now_ms,
        )
    )
    return Note(
        note_id,
        fan_account_id,
        author_id,
        text,
        origin.source,
        origin.channel_id,
        origin.message_id,
        now_ms,
        edited_at=None,
        edited_by=None,
        deleted_at=None,
        version=1,
    )


async def find(tx: Tx, note_id: int) -> Note | None:
    """One note, a deleted one too; None where there is none."""
    return _to_note(await tx.first(select(*_SHOWN).where(_n.agency_id == tx.agency_id, _n.id == note_id)))


async def find_by_origin(tx: Tx, fan_account_id: int, author_id: int, origin: NoteOrigin) -> Note | None:
    """The fan's note from the same message, by anybody, or from the same form of this author; None: there is none."""
    same: ColumnElement[bool]
    if origin.message_id is not None:
        same = _n.source_message_id == origin.message_id
    elif origin.form_id is not None:
        same = and_(_n.form_id == origin.form_id, _n.author_id == author_id)
    else:
        return None
    return _to_note(await tx.first(select(*_SHOWN).where(_of_fan(tx, fan_account_id), same).limit(1)))


async def count(tx: Tx, fan_account_id: int) -> int:
    return int(await tx.scalar(select(func.count()).select_from(notes).where(_of_fan(tx, fan_account_id))))


async def newest(tx: Tx, fan_account_id: int) -> Note | None:
    """None: the fan has no notes."""
    found = await load_page(tx, fan_account_id, 0, 1)
    return found[0] if found else None


async def load_page(tx: Tx, fan_account_id: int, start: int, limit: int) -> list[Note]:
    """The fan's notes, newest first, from the `start`-th (from 0), at most `limit`."""
    rows = await tx.all(
        select(*_SHOWN)
        .where(_of_fan(tx, fan_account_id))
        .order_by(_n.created_at.desc(), _n.id.desc())
        .offset(start)
        .limit(limit)
    )
    return [Note(*row) for row in rows]


async def edit(tx: Tx, note: Note, text: str, user_id: int, now_ms: int) -> None:
    """Give a note another text and keep the one it has."""
    await tx.execute(
        insert(note_revisions).values(
            agency_id=tx.agency_id,
            id=tx.ids.next(),
            note_id=note.id,
            text=note.text,
            author_id=note.author_id if note.edited_by is None else note.edited_by,
            written_at=note.created_at if note.edited_at is None else note.edited_at,
        )
    )
    await _change(tx, note.id, text=text, edited_by=user_id, edited_at=now_ms, version=note.version + 1)


async def delete(tx: Tx, note_id: int, user_id: int, now_ms: int) -> None:
    await _change(tx, note_id, deleted_at=now_ms, deleted_by=user_id)


async def restore(tx: Tx, note_id: int) -> None:
    await _change(tx, note_id, deleted_at=None, deleted_by=None)


async def list_versions(tx: Tx, note: Note) -> list[NoteVersion]:
    """Every text the note has had, the present one first."""
    rows = await tx.all(
        select(_r.text, _r.author_id, _r.written_at)
        .where(_r.agency_id == tx.agency_id, _r.note_id == note.id)
        .order_by(_r.id)
    )
    before = [NoteVersion(number, *row) for number, row in enumerate(rows, 1)]
    now = NoteVersion(
        len(before) + 1,
        note.text,
        note.author_id if note.edited_by is None else note.edited_by,
        note.created_at if note.edited_at is None else note.edited_at,
    )
    return [now, *reversed(before)]


async def _change(tx: Tx, note_id: int, **values: Any) -> None:
    await tx.execute(update(notes).where(_n.agency_id == tx.agency_id, _n.id == note_id).values(**values))


def _of_fan(tx: Tx, fan_account_id: int) -> ColumnElement[bool]:
    return and_(_n.agency_id == tx.agency_id, _n.fan_account_id == fan_account_id, _n.deleted_at.is_(None))


def _to_note(row: Any) -> Note | None:
    return None if row is None else Note(*row)
