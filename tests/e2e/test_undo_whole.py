"""What an undo leaves behind: every column of an alert, what is in force beside it, and what the channel shows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from tests.e2e.harness import Json
from tests.e2e.office import DAY_S, Office, button, buttons, eventually, only, sentence, verb_of
from tests.e2e.reading import Card, components, is_private, live_cards, text_of
from tests.e2e.refusing import told
from tests.e2e.test_quiet import ALWAYS
from tests.e2e.test_undo import newest_action
from tests.e2e.timing import ask, episode_of, pass_minutes

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADVANCE_S = 9 * DAY_S
USER_SELECT = 5


@dataclass(frozen=True, slots=True)
class Place:
    """A creator's channel, her chatter, and the alert that is worked on."""

    channel: str
    chatter: str
    fan: str


QUIET, LOUD = Place("luna", "Ana", "fan_2488"), Place("zoe", "Ben", "fan_2564")
"""In the one nobody may be called and every clock stands, in the other what nobody claims has gone to the lead."""
IN_FORCE = {
    "episodes": "",
    "outcomes": "WHERE undone_at IS NULL",
    "contacts": "WHERE undone_at IS NULL",
    "playbook_ticks": "WHERE undone_at IS NULL",
    "mutes": "WHERE ended_at IS NULL",
    "fan_holds": "WHERE ended_at IS NULL",
    "quiet_hours": "WHERE removed_at IS NULL",
    "followups": "WHERE state = 'open'",
    "winbacks": "WHERE state = 'open'",
    "winback_spreads": "WHERE ended_at IS NULL",
    "handovers": "WHERE closed_at IS NULL",
    "handover_items": "WHERE handover_id IN (SELECT id FROM handovers WHERE closed_at IS NULL)",
}
"""Of each table what holds now; of what was taken back a row stays on record."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(office: Office) -> Office:
    """Everybody is on shift, and for twenty minutes nobody has claimed anything."""
    quiet = ALWAYS | {"creator": "luna"}
    assert "Quiet hours of luna" in told(await office.box.slash("Lea", "luna", "alerts quiet", quiet))
    for place in (QUIET, LOUD):
        for person in (place.chatter, "Lea"):
            told(await office.box.slash(person, place.channel, "shift start", {"creators": place.channel}))
    await pass_minutes(office, 20)
    for place, stage, owner in ((QUIET, 0, "Ana"), (LOUD, 1, "Lea")):
        card = await office.card_with(place.channel, place.fan, "a")
        alert = episode_of(office, card)
        assert alert["escalation_stage"] == stage
        assert alert["owner_id"] == int(office.people[owner])
    return office


async def standing(office: Office, place: Place) -> dict[str, Any]:
    """What is in force, and the text of each live card, once delivery has caught up."""

    async def caught_up() -> bool | None:
        return None if office.rows("SELECT id FROM cards WHERE wanted_version > sent_version") else True

    await eventually("every card is shown", caught_up, office.box)
    found: dict[str, Any] = {
        table: sorted(office.rows(f"SELECT * FROM {table} {which}"), key=repr)  # noqa: S608 - its own tables
        for table, which in IN_FORCE.items()
    }
    cards = live_cards(await office.box.messages(place.channel), "agbh")
    found["cards"] = sorted((card.kind, card.card, text_of(card.message)) for card in cards)
    return found


async def _slash(office: Office, place: Place, person: str, command: str, **options: object) -> Json:
    (message,) = (await office.box.slash(person, place.channel, command, dict(options))).messages
    return message


async def _menu(office: Office, place: Place, person: str) -> Json:
    card = await office.card_with(place.channel, place.fan, "a")
    return await office.menu(person, place.channel, card.message)


# Each does one thing and gives the message that has [Undo] for it, if any has. Whoever does it is named in DEEDS.


async def _claim(office: Office, place: Place, person: str) -> Json:
    card = await office.card_with(place.channel, place.fan, "a")
    await office.press(person, place.channel, card.message, button(card.message, "Claim"))
    return await _menu(office, place, person)


async def _release(office: Office, place: Place, person: str) -> Json:
    menu = await _menu(office, place, person)
    return only(await office.press(person, place.channel, menu, button(menu, "Release")))


async def _assign(office: Office, place: Place, person: str) -> Json:
    menu = await _menu(office, place, person)
    (custom_id,) = [item["custom_id"] for item in components(menu) if item["type"] == USER_SELECT]
    chosen = [office.people[place.chatter]]
    return only(await office.press(person, place.channel, menu, custom_id, chosen))


async def _handover(office: Office, place: Place) -> Card | None:
    """The one that waits for somebody."""
    cards = live_cards(await office.box.messages(place.channel), "h")
    return next((card for card in cards if buttons(card.message, "Take all")), None)


async def _leave(office: Office, place: Place, person: str) -> Json:
    said = await _slash(office, place, person, "shift end")
    await eventually("the hand-over is posted", lambda: _handover(office, place), office.box)
    return said


async def _take_all(office: Office, place: Place, person: str) -> Json:
    card = await _handover(office, place)
    assert card is not None
    before = {message["id"] for message in await office.box.messages(place.channel)}
    await office.press(person, place.channel, card.message, button(card.message, "Take all"))

    async def answer() -> Json | None:
        """Said beside the card, which is the press's own answer."""
        found = [m for m in await office.box.messages(place.channel) if is_private(m)]
        return next((m for m in found if m["id"] not in before), None)

    return await eventually("what was taken", answer, office.box)


async def _snooze(office: Office, place: Place, person: str) -> Json:
    card = await office.card_with(place.channel, place.fan, "a")
    question = await ask(office, person, place.channel, card)
    return only(await office.press(person, place.channel, question, button(question, "1 hour")))


async def _wake(office: Office, place: Place, person: str) -> Json:
    card = await office.card_with(place.channel, place.fan, "a")
    wake = verb_of(card.message, "wake")
    return only(await office.press(person, place.channel, card.message, wake, forge=True))


async def _done(office: Office, place: Place, person: str) -> Json:
    card = await office.card_with(place.channel, place.fan, "a")
    form = await office.press(person, place.channel, card.message, button(card.message, "Done"))
    assert form.modal is not None
    fields = {"outcome": ["kept"], "mood": ["cold"], "note": "He liked it"}
    custom_id, opener = str(form.modal["custom_id"]), str(form.interaction)
    return only(await office.box.submit(person, place.channel, custom_id, opener, fields))


async def _mute(office: Office, place: Place, person: str) -> Json:
    given = {"fan": place.fan, "until": "in 3 days", "reason": "on holiday"}
    return await _slash(office, place, person, "alerts mute", **given)


async def _hold(office: Office, place: Place, person: str) -> Json:
    return await _slash(office, place, person, "fan hold", fan=place.fan, reason="asked for a break")


async def _quiet(office: Office, place: Place, person: str) -> Json:
    night = {"from": "22:00", "to": "8:00", "zone": "Europe/Paris", "creator": place.channel}
    return await _slash(office, place, person, "alerts quiet", **night)


async def _tick(office: Office, place: Place, person: str) -> Json:
    menu = await _menu(office, place, person)
    steps = only(await office.press(person, place.channel, menu, button(menu, "Playbook")))
    return only(await office.press(person, place.channel, steps, buttons(steps, "Tick")[0]))


async def _follow_up(office: Office, place: Place, person: str) -> Json:
    given = {"fan": place.fan, "what": "Send the set", "due": "in 3 days"}
    return await _slash(office, place, person, "followup add", **given)


async def _spread(office: Office, place: Place, person: str) -> Json:
    among = office.people[place.chatter]
    given = {"top": 5, "among": among, "per_person": 2, "creator": place.channel}
    return await _slash(office, place, person, "winback spread", **given)


Deed = Callable[[Office, Place, str], Awaitable[Json]]
BY_LEADS: set[Deed] = {_assign, _take_all, _mute, _hold, _quiet, _spread}
WAYS: dict[str, tuple[Deed, ...]] = {
    "claim": (_claim,),
    "release": (_claim, _release),
    "assign": (_assign,),
    "take all": (_claim, _leave, _take_all),
    "snooze": (_snooze,),
    "snooze of a claim": (_claim, _snooze),
    "wake": (_snooze, _wake),
    "done": (_claim, _tick, _done),
    "mute": (_mute,),
    "hold": (_hold,),
    "quiet hours": (_quiet,),
    "tick": (_tick,),
    "follow-up": (_follow_up,),
    "winback spread": (_spread,),
}
"""What is undone comes last; before it what it needs."""
WITHOUT_BUTTON = {"mute", "hold", "quiet hours", "tick", "follow-up"}
"""Their answers have a way of their own to end them again."""


async def _stands(office: Office, place: Place, wanted: dict[str, Any]) -> None:
    """A mention that something had kept back is asked for again at once: it may be held again a moment later."""

    async def same() -> bool | None:
        return True if await standing(office, place) == wanted else None

    try:
        await eventually("all is as it was", same, office.box, within=3)
    except AssertionError:
        now = await standing(office, place)
        for what, rows in wanted.items():
            assert now[what] == rows, what


async def _undo(office: Office, place: Place, person: str) -> str:
    """By command, the latest of all."""
    action = {"action": f"x:{newest_action(office)}"}
    return sentence(await office.box.slash(person, place.channel, "undo", action))


async def _all_is_as_it_was(
    office: Office, place: Place, deeds: tuple[Deed, ...], *, by_button: bool
) -> None:
    first = before = await standing(office, place)
    action, done = newest_action(office), []
    shown: Json = {}
    for deed in deeds:
        before = await standing(office, place)
        person = "Lea" if deed in BY_LEADS else place.chatter
        shown = await deed(office, place, person)
        assert newest_action(office) != action, "it is not on record"
        action = newest_action(office)
        done.append((person, action))
    assert await standing(office, place) != before
    person, _ = done.pop()
    if by_button:
        said = told(await office.press(person, place.channel, shown, button(shown, "Undo")))
    else:
        said = await _undo(office, place, person)
    assert "ndone" in said, said
    await _stands(office, place, before)
    # And what came before it, the latest first.
    for person, one in reversed(done):
        reply = await office.box.slash(person, place.channel, "undo", {"action": f"x:{one}"})
        assert sentence(reply).startswith("Undone: ")
    await _stands(office, place, first)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("place", [QUIET, LOUD], ids=["quiet", "loud"])
async def test_undo_leaves_all_as_it_was(desk: Office, place: Place, way: str) -> None:
    await _all_is_as_it_was(desk, place, WAYS[way], by_button=False)


@pytest.mark.parametrize("way", [way for way in WAYS if way not in WITHOUT_BUTTON])
@pytest.mark.parametrize("place", [QUIET, LOUD], ids=["quiet", "loud"])
async def test_its_button_leaves_all_as_it_was(desk: Office, place: Place, way: str) -> None:
    await _all_is_as_it_was(desk, place, WAYS[way], by_button=True)
