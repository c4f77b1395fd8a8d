from __future__ import annotations

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from bot.domain.notes import Note, NoteOrigin, NoteVersion
from storage import fan_search, fan_threads, fans, notes, tables
from storage.fan_threads import FanThread
from storage.tx import Tx
from tests.storage.conftest import NOW, Agency
from tests.storage.records import fan

ANA, LEA = 301, 302


async def fan_ids(agency: Agency, *platform_ids: str) -> list[int]:
    records = [fan(one) for one in platform_ids]
    await agency.store.write(lambda tx: fans.apply_fan_page(tx, agency.ava, records, NOW, 1))
    async with agency.store.read() as tx:
        found = [(await fan_search.find_exact(tx, {agency.ava}, one))[0] for one in platform_ids]
    return [one.fan_account_id for one in found]


async def write(
    agency: Agency, fan_id: int, text: str, at: int = NOW, origin: NoteOrigin | None = None
) -> Note:
    kept = origin or NoteOrigin("command")
    return await agency.store.write(lambda tx: notes.add(tx, agency.ava, fan_id, ANA, text, kept, at))


async def texts(agency: Agency, fan_id: int, start: int = 0, limit: int = 10) -> list[str]:
    async with agency.store.read() as tx:
        return [note.text for note in await notes.load_page(tx, fan_id, start, limit)]


async def test_a_fans_notes_come_newest_first_a_page_at_a_time(agency: Agency) -> None:
    one, other = await fan_ids(agency, "1", "2")
    for number in range(4):
        await write(agency, one, f"n{number}", NOW + number // 2)
    await write(agency, other, "hers")
    assert await texts(agency, one) == ["n3", "n2", "n1", "n0"]
    assert await texts(agency, one, 1, 2) == ["n2", "n1"]
    async with agency.store.read() as tx:
        assert (await notes.count(tx, one), await notes.count(tx, other)) == (4, 1)
        newest = await notes.newest(tx, one)
        assert newest is not None
        assert await notes.find(tx, newest.id) == newest
        assert newest.text == "n3"


async def test_every_text_a_note_had_is_kept_with_who_wrote_it(agency: Agency) -> None:
    (one,) = await fan_ids(agency, "1")
    note = await write(agency, one, "first")
    # All at the same moment: their order is not their time's.
    for text, user in (("second", LEA), ("third", ANA)):

        async def change(tx: Tx, text: str = text, user: int = user) -> None:
            found = await notes.find(tx, note.id)
            assert found is not None
            await notes.edit(tx, found, text, user, NOW)

        await agency.store.write(change)
    async with agency.store.read() as tx:
        found = await notes.find(tx, note.id)
        assert found is not None
        assert (found.text, found.edited_by, found.version) == ("third", ANA, 3)
        assert (found.author_id, found.created_at) == (ANA, NOW)
        assert await notes.list_versions(tx, found) == [
            NoteVersion(3, "third", ANA, NOW),
            NoteVersion(2, "second", LEA, NOW),
            NoteVersion(1, "first", ANA, NOW),
        ]


async def test_a_deleted_note_is_hidden_until_it_is_restored(agency: Agency) -> None:
    (one,) = await fan_ids(agency, "1")
    note = await write(agency, one, "first")
    await agency.store.write(lambda tx: notes.delete(tx, note.id, LEA, NOW + 5))
    async with agency.store.read() as tx:
        assert (await notes.count(tx, one), await notes.newest(tx, one)) == (0, None)
        gone = await notes.find(tx, note.id)
        assert gone is not None
        assert gone.deleted_at == NOW + 5
    await agency.store.write(lambda tx: notes.restore(tx, note.id))
    async with agency.store.read() as tx:
        assert await notes.newest(tx, one) == note


async def test_a_note_is_found_by_its_message_or_its_form(agency: Agency) -> None:
    one, other = await fan_ids(agency, "1", "2")
    message = NoteOrigin("message", "form0001", 7, 8)
    saved = await write(agency, one, "m", origin=message)
    filled = await write(agency, one, "f", origin=NoteOrigin("form", "form0002"))
    async with agency.store.read() as tx:
        assert await notes.find_by_origin(tx, one, LEA, NoteOrigin("message", "x", 7, 8)) == saved
        assert await notes.find_by_origin(tx, other, ANA, message) is None
        assert await notes.find_by_origin(tx, one, ANA, NoteOrigin("form", "form0002")) == filled
        assert await notes.find_by_origin(tx, one, LEA, NoteOrigin("form", "form0002")) is None
        assert await notes.find_by_origin(tx, one, ANA, NoteOrigin("command")) is None
    await agency.store.write(lambda tx: notes.delete(tx, saved.id, ANA, NOW))
    async with agency.store.read() as tx:
        assert await notes.find_by_origin(tx, one, ANA, message) is None


async def test_a_text_of_any_script_comes_back_as_it_was(agency: Agency) -> None:
    (one,) = await fan_ids(agency, "1")
    text = "été 𒐫 👨‍👩‍👧\n'; DROP TABLE notes; --\n%_\\ \u202e"
    note = await write(agency, one, text)
    async with agency.store.read() as tx:
        assert await notes.find(tx, note.id) == note
    assert note.text == text


async def test_an_error_of_the_database_tells_nobody_the_text(agency: Agency) -> None:
    (one,) = await fan_ids(agency, "1")
    note = await write(agency, one, "first")
    again = insert(tables.notes).values(
        agency_id=agency.store.agency_id,
        id=note.id,
        creator_id=agency.ava,
        fan_account_id=one,
        author_id=ANA,
        text="between us",
        source="form",
        version=1,
        created_at=NOW,
    )
    with pytest.raises(IntegrityError) as raised:
        await agency.store.write(lambda tx: tx.execute(again))
    assert "between us" not in str(raised.value)


async def test_a_fan_has_one_thread(agency: Agency) -> None:
    one, other = await fan_ids(agency, "1", "2")

    async def keep(fan_id: int, thread_id: int, instead_of: int | None) -> int:
        thread = FanThread(agency.ava, fan_id, 401, thread_id)
        return await agency.store.write(lambda tx: fan_threads.keep(tx, thread, NOW, instead_of=instead_of))

    assert await keep(one, 501, None) == 501
    assert await keep(one, 502, None) == 501
    assert await keep(one, 503, 999) == 501
    assert await keep(one, 504, 501) == 504
    assert await keep(other, 505, None) == 505
    async with agency.store.read() as tx:
        assert await fan_threads.find_by_thread(tx, 501) is None
        assert await fan_threads.find_by_thread(tx, 504) == FanThread(agency.ava, one, 401, 504)
        assert await fan_threads.find_by_fan(tx, other) == FanThread(agency.ava, other, 401, 505)
