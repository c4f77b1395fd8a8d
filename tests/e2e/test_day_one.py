"""The first day, before anybody has set up a shift: every action item has an owner, and people can see who it is."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.harness import sandbox
from tests.e2e.office import DAY_S, HISTORY, HOUR_S, Office, only
from tests.e2e.reading import live_cards, text_of

ITEMS = (
    "SELECT c.name, e.baseline, e.owner_kind, e.owner_id FROM episodes e JOIN creators c ON c.id = e.creator_id"
    " WHERE e.closed_at IS NULL AND e.tier = 'action'"
)
CHATTERS = {"luna": "Ana", "mira": "Ana", "zoe": "Ben"}
"""Who has the creators of the small history by default."""


def owners(office: Office, creator: str | None = None) -> list[tuple[bool, str | None]]:
    """(whether the baseline found it, the owner's name) of every open action item; None: it is nobody's, or a role's."""
    names = {int(user_id): name for name, user_id in office.people.items()}
    return [
        (bool(baseline), names.get(owner_id) if kind == "user" else None)
        for name, baseline, kind, owner_id in office.rows(ITEMS)
        if creator in (None, name)
    ]


async def test_without_any_shift_each_item_is_the_default_chatters(tmp_path: Path) -> None:
    async with sandbox(tmp_path / "data", history=HISTORY, model="reference") as box:
        office = await Office.of(box)
        at_first = owners(office)
        assert at_first, "the baseline has no action item"
        for creator, chatter in CHATTERS.items():
            assert {name for _, name in owners(office, creator)} <= {chatter}
        assert (await box.advance(5 * DAY_S)).settled
        assert office.rows("SELECT count(*) FROM shift_sessions") == [(0,)]
        for creator, chatter in CHATTERS.items():
            found = owners(office, creator)
            assert found, creator
            assert {name for _, name in found} == {chatter}
            # In Discord: those who read the queue see whose it is, and who has it is called in the channel.
            mention = f"<@{office.people[chatter]}>"
            assert mention in text_of(only(await box.slash("Lea", office.channels[creator], "queue", {})))
            cards = live_cards(await box.messages(office.channels[creator]), "ag")
            called = {one for card in cards for one in card.message["sandbox"]["pinged"]}
            assert called == {f"user:{office.people[chatter]}"}
        assert any(not baseline for baseline, _ in owners(office))


async def test_a_creator_that_nobody_is_planned_for_has_owners_too(tmp_path: Path) -> None:
    """nova-new has neither shifts nor a history; her team's default chatter has what comes."""
    async with sandbox(tmp_path / "data") as box:
        office = await Office.of(box)
        for hours in (1, 36):
            assert (await box.advance(hours * HOUR_S)).settled
            found = owners(office)
            assert found
            assert None not in {name for _, name in found}
        planned = office.rows(
            "SELECT count(*) FROM shifts s JOIN creators c ON c.id = s.creator_id WHERE c.name = 'nova-new'"
        )
        assert planned == [(0,)]
        assert {name for _, name in owners(office, "nova-new")} == {"Ana"}
