"""Ten minutes in the demo, which are twenty hours of the sample agency: everybody planted ends as docs/sandbox.md says.

Under the reference model, so that the silent whale stays at risk and the loyal rebiller may be flagged. Agency time is
advanced half an hour at a time, as somebody who watches would see it.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from tests.e2e.harness import Json, Sandbox, sandbox
from tests.e2e.office import Office, sentence
from tests.e2e.reading import card_of, is_private, names_in, text_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

STEP_S = 1_800
STEPS = 40
PAGES = ("amber", "vivian-vip", "freya-free", "nova-new")
HOSTILE = "@everyone_**x**[y](https://evil.example)"
PROMISES = {"amber": "owen_lark", "vivian-vip": "silas_penn"}
NOBODY_IS_TOLD_OF = (
    *("oscar_dimm", "bruno_castell", "gideon_farrow", "dexter_vane", "hugo_strand", "ruby_sterling"),
    *("owen_lark", "silas_penn", "milo_tatter"),
)


@dataclass
class Sitting:
    """What was seen, by the half hours since the start. `office` is as it stands at the end."""

    office: Office
    chatter: dict[str, str]
    seen: dict[int, dict[str, list[Json]]] = field(default_factory=dict)
    spent: dict[int, str] = field(default_factory=dict)

    def alerts(self, step: int, channel: str) -> list[Json]:
        """The public messages of single and grouped alert cards."""
        return [m for m in self.seen[step][channel] if (card := card_of(m)) is not None and card.kind in "ag"]

    def with_name(self, step: int, channel: str, name: str) -> list[Json]:
        return [m for m in self.alerts(step, channel) if names_in(text_of(m), {name})]

    def everything(self) -> Iterator[Json]:
        for channels in self.seen.values():
            for messages in channels.values():
                yield from messages


async def _look(box: Sandbox, channels: tuple[str, ...]) -> dict[str, list[Json]]:
    return {
        channel: [m for m in await box.messages(channel) if not is_private(m) and not m["sandbox"]["deleted"]]
        for channel in channels
    }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sitting(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sitting]:
    folder: Path = tmp_path_factory.mktemp("sitting") / "data"
    async with sandbox(folder, model="reference") as box:
        await box.settled()
        office = await Office.of(box)
        account = "SELECT a.account_id, c.default_chatter_id FROM creators c JOIN creator_accounts a ON a.creator_id = c.id"
        people = {user_id: name for name, user_id in office.people.items()}
        chatter = {row[0].removeprefix("acct_"): people[str(row[1])] for row in office.rows(account)}
        told = Sitting(office, chatter)
        told.seen[0] = await _look(box, (*PAGES, "fanwatch-notices"))
        told.spent[0] = await _spent(told, "gideon_farrow")
        await _hand_out_promises(told)
        for step in range(1, STEPS + 1):
            assert (await box.advance(STEP_S)).settled, box.tail()
            told.seen[step] = await _look(box, (*PAGES, "fanwatch-notices"))
            if step in (18, 20):
                told.spent[step] = await _spent(told, "gideon_farrow")
        yield told


async def _hand_out_promises(sitting: Sitting) -> None:
    office, dues = sitting.office, ("today 18:00", "today 12:00")
    for (page, fan), due in zip(PROMISES.items(), dues, strict=True):
        chatter = sitting.chatter[page]
        noted = await office.box.slash(chatter, page, "note add", {"fan": fan, "text": f"Promised, {due}."})
        assert "Noted" in text_of(noted.messages[0])
        options = {"fan": fan, "chatter": office.people[chatter], "due": due}
        given = await office.box.slash("Max", page, "winback assign", options)
        assert "is to win back" in text_of(given.messages[0]), given


async def _spent(sitting: Sitting, fan: str) -> str:
    reply = await sitting.office.lookup("Max", "amber", fan)
    found = re.search(r"Spent in all: (\$[\d,]+)", text_of(reply.messages[0]))
    assert found is not None, reply
    return found[1]


def _dollars(text: str) -> int:
    return int(text.strip("$").replace(",", ""))


async def test_the_first_card_is_an_alert_at_nine_and_not_the_baseline(sitting: Sitting) -> None:
    for step in (0, 1):
        assert [m for page in PAGES for m in sitting.alerts(step, page)] == []
        assert all(m["sandbox"]["pinged"] == [] for page in PAGES for m in sitting.seen[step][page])
    first = [m for page in PAGES for m in sitting.alerts(2, page) if m["sandbox"]["pinged"]]
    (card,) = first
    assert names_in(text_of(card), {"quentin_hale"})
    assert "Action" in card["content"]
    assert "Subscription about to end" in card["content"]
    owner = sitting.office.people[sitting.chatter["vivian-vip"]]
    assert card["sandbox"]["pinged"] == [f"user:{owner}"]


async def test_a_whale_silent_in_mid_period_is_a_quiet_flag_under_reference(sitting: Sitting) -> None:
    # The tenth day of silence begins at 10:20; the poll after it is at 11:00.
    assert sitting.with_name(5, "amber", "magnus_thorne") == []
    (card,) = sitting.with_name(6, "amber", "magnus_thorne")
    assert "At risk" in card["content"]
    for step in range(6, STEPS + 1):
        for message in sitting.with_name(step, "amber", "magnus_thorne"):
            assert message["sandbox"]["pinged"] == []


async def test_nobody_is_pinged_about_a_loyal_rebiller_or_a_fan_who_never_paid(sitting: Sitting) -> None:
    for message in sitting.everything():
        if names_in(text_of(message), {"walter_brook", "oscar_dimm", "milo_tatter"}):
            assert message["sandbox"]["pinged"] == []


@pytest.mark.parametrize("name", NOBODY_IS_TOLD_OF)
async def test_no_alert_is_raised_about_those_who_are_fine_or_cannot_be_worked(
    sitting: Sitting, name: str
) -> None:
    for step, channels in sitting.seen.items():
        for channel in channels:
            assert sitting.with_name(step, channel, name) == [], (step, channel)


async def test_a_resubscriber_is_worked_as_expired_and_clears_when_he_is_back(sitting: Sitting) -> None:
    # His subscription ends at 15:20, and he subscribes again at 22:40.
    assert sitting.with_name(15, "vivian-vip", "felix_arden") == []
    (ended,) = sitting.with_name(16, "vivian-vip", "felix_arden")
    assert "Expired" in text_of(ended)
    assert sitting.with_name(29, "vivian-vip", "felix_arden")
    office = sitting.office
    profile = text_of((await office.lookup("Max", "vivian-vip", "felix_arden")).messages[0])
    assert "Desk: nothing open" in profile
    assert office.rows(
        "SELECT e.change FROM episode_events e JOIN fan_accounts f ON f.id = e.fan_account_id"
        " WHERE f.username = 'felix_arden' AND e.run_id IS NOT NULL ORDER BY e.id"
    ) == [("expired",), ("cleared",)]


async def test_a_chargeback_shows_in_what_a_fan_has_spent_at_the_poll_after_his_next_purchase(
    sitting: Sitting,
) -> None:
    # $75 are taken back at 13:00; he buys for $20 at 17:10.
    at_start, at_five, at_six = (_dollars(sitting.spent[step]) for step in sorted(sitting.spent))
    assert at_five == at_start
    assert at_six == at_start - 75 + 20


async def test_one_person_on_two_pages_is_two_fans_that_only_a_manager_sees_together(
    sitting: Sitting,
) -> None:
    office = sitting.office
    both = await office.lookup("Max", "amber", "dexter_vane")
    assert "More than one fan" in text_of(both.messages[0])
    (menu,) = [c for c in both.messages[0]["components"][0]["components"] if c.get("options")]
    assert [("amber" in o["label"]) + 2 * ("freya" in o["label"]) for o in menu["options"]] in (
        [1, 2],
        [2, 1],
    )
    for page in ("amber", "freya-free"):
        one = text_of((await office.lookup(sitting.chatter[page], page, "dexter_vane")).messages[0])
        assert f"dexter_vane · {page}" in one
        assert one.count("Id on the platform: 9000001") == 1


async def test_a_deleted_fan_is_found_by_his_id_and_never_alerted(sitting: Sitting) -> None:
    office = sitting.office
    ((platform_id,),) = office.rows(
        "SELECT platform_fan_id FROM fan_accounts f JOIN scores s ON s.fan_account_id = f.id"
        " WHERE username IS NULL AND churn_risk > 80 AND f.paid AND total_cents = 15000"
    )
    told = text_of(
        (await office.lookup(sitting.chatter["freya-free"], "freya-free", platform_id)).messages[0]
    )
    assert f"fan {platform_id}" in told
    for message in sitting.everything():
        assert platform_id not in text_of(message)


async def test_a_hostile_name_pings_its_owner_and_nobody_else(sitting: Sitting) -> None:
    owner = f"user:{sitting.office.people[sitting.chatter['amber']]}"
    cards = [
        m for m in sitting.alerts(8, "amber") if m["sandbox"]["pinged"] and "everyone" in (m["content"] or "")
    ]
    (card,) = cards
    assert card["sandbox"]["pinged"] == [owner]
    assert card["mention_everyone"] is False
    assert "\u202e" not in text_of(card)
    # The link in the name is text: its brackets are escaped, and no embed or button leads there.
    assert "](https://evil" not in card["content"]


async def test_an_expired_session_is_one_notice_that_closes_itself_while_the_others_go_on(
    sitting: Sitting,
) -> None:
    def notices(step: int) -> list[str]:
        return [text_of(m) for m in sitting.seen[step]["freya-free"] if "session" in text_of(m)]

    assert notices(5) == []
    for step in range(6, STEPS + 1):
        assert len(notices(step)) == 1, step
    assert notices(6)[0] != notices(14)[0]
    assert "Over" in notices(14)[0] or "resolved" in notices(14)[0].lower() or "again" in notices(14)[0]
    for page in PAGES:
        if page != "freya-free":
            assert not [m for m in sitting.seen[STEPS][page] if "session" in text_of(m)]
    assert sitting.seen[STEPS]["fanwatch-notices"] == sitting.seen[0]["fanwatch-notices"]


async def test_what_was_promised_and_is_late_is_said_to_be_overdue(sitting: Sitting) -> None:
    # A promise due at 18:00 and a custom due at noon, handed to those who owe them when the sitting began.
    office = sitting.office
    for page, fan in PROMISES.items():
        chatter = sitting.chatter[page]
        told = text_of((await office.box.slash(chatter, page, "my")).messages[0])
        assert fan in told.replace("\\", "")
        assert "overdue" in told.lower()
        (mine,) = (await office.box.slash(chatter, page, "winback list", {"state": "overdue"})).messages
        assert names_in(text_of(mine), {fan})
        notes = (await office.box.slash(chatter, page, "note list", {"fan": fan})).messages[0]
        assert "Promised" in text_of(notes)


async def test_everybody_is_on_one_live_card_at_most(sitting: Sitting) -> None:
    for page in PAGES:
        for name in ("quentin_hale", "magnus_thorne", "felix_arden"):
            live = [
                m
                for m in sitting.with_name(STEPS, page, name)
                if (card := card_of(m)) is not None and card.live
            ]
            assert len(live) <= 1


async def test_no_mention_beyond_the_one_that_is_meant(sitting: Sitting) -> None:
    for message in sitting.everything():
        assert len(message["sandbox"]["pinged"]) <= 1
        assert message["mention_everyone"] is False


async def test_whoever_has_no_role_is_told_what_is_missing(sitting: Sitting) -> None:
    refused = await sitting.office.lookup("Nia", "amber", "quentin_hale", forge=True)
    assert "chatter role" in sentence(refused)
