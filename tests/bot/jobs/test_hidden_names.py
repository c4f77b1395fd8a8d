"""A creator who hides names: nothing in public says who a fan is until somebody claims the fan."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.models import AccessTier, Viewer
from bot.domain.naming import pseudonym
from bot.domain.notes import NoteOrigin
from bot.domain.views import AlertCard, FanLabel
from bot.services.threads import ThreadService
from storage import card_views, claims, notes
from tests.bot.jobs.desk import NINE_DAYS, Desk, calm
from tests.storage.conftest import NOW


@dataclass(frozen=True)
class Now:
    def now_ms(self) -> int:
        return NINE_DAYS


async def test_notes_and_threads_keep_the_name_to_themselves_until_a_claim(desk: Desk) -> None:
    ava = desk.agency.ava
    await desk.start([calm(1, username="joe")])
    await desk.score(NINE_DAYS)
    await desk.set_creator(ava, name_mode="hidden")
    episode = (await desk.episodes())["1"]
    fan_id = episode["fan_account_id"]
    await desk.change(lambda tx: notes.add(tx, ava, fan_id, 301, "Joe again", NoteOrigin("command"), NOW))
    viewer = Viewer(301, AccessTier.CHATTER, frozenset({ava}))

    async def shown() -> tuple[str | None, FanLabel | None, bool]:
        async with desk.store.read() as tx:
            card = await card_views.load_view(tx, episode["card_id"])
        assert isinstance(card, AlertCard)
        place = await ThreadService(desk.store, Now()).place_of(viewer, fan_id)
        assert place is not None
        assert place.fan.fan.username == "joe"
        return (None if card.note is None else card.note.text), place.public, place.hides_notes

    assert await shown() == (None, FanLabel("", None, pseudonym(fan_id), None), True)
    await desk.change(lambda tx: claims.claim(tx, episode["id"], 301, NOW))
    text, label, hides = await shown()
    assert label is not None
    assert (text, label.username, hides) == ("Joe again", "joe", False)
