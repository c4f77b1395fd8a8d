from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, cast

import discord
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.discord_ui import custom_ids, words
from bot.discord_ui.features.queue import QueueFeature
from bot.discord_ui.inflight import InFlight
from bot.discord_ui.queue import Place, parse_place, parse_sort, render_queue
from bot.discord_ui.router import Router
from bot.domain.base36 import encode
from bot.domain.models import CardKind, Viewer
from bot.domain.views import OpenTotals, Owner, QueuePage, QueueRow, QueueSort
from tests.bot.discord_ui import views
from tests.bot.discord_ui.fakes import (
    CHATTER,
    CREATOR,
    LEAD,
    NOBODY,
    STRANGER,
    FakeDesk,
    FakeInteraction,
    FakeRules,
)
from tests.bot.discord_ui.test_cards import MENTION, assert_within_limits, buttons, components, texts
from tests.bot.discord_ui.views import BIG_ID, CHAT_URL, NOW, row

BOARD = 9


def queue(**changes: Any) -> QueuePage:
    fields: dict[str, Any] = {
        "creator_id": CREATOR,
        "creator_name": "Amber Vale",
        "sort": QueueSort.MONEY,
        "page": 0,
        "pages": 1,
        "rows": (QueueRow("Amber Vale", row(1)), QueueRow("Amber Vale", row(2))),
        "totals": OpenTotals(2, (("USD", 82_000),)),
        "synced_at": NOW,
    }
    return QueuePage(**(fields | changes))


def episode(number: int) -> int:
    return row(number).episode_id


def test_a_page_says_whose_it_is_what_is_open_and_in_which_order() -> None:
    shown = render_queue(queue(sort=QueueSort.EXPIRY), chat_url=CHAT_URL)
    first, second, *_ = texts(shown).strip().splitlines()
    assert first == "**Queue** · Amber Vale · 2 open, about $820 a month"
    assert second == "-# Subscription that ends soonest first · Data from <t:1772000000:R>"
    assert buttons(shown) == ["Claim", "Claim"]
    rows, select = [part for part in components(shown) if part["type"] == 3]
    assert [o["label"] for o in rows["options"]] == ["fan_1 · 83", "fan_2 · 83"]
    assert [(o["label"], o["default"]) for o in select["options"]] == [
        ("Money at risk", False),
        ("Churn score", False),
        ("Soonest expiry", True),
    ]


def test_rows_of_several_creators_say_whose_they_are() -> None:
    two = (QueueRow("Amber Vale", row(1)), QueueRow("Mia", row(2, claimed_by=5, claimed_at=NOW)))
    shown = render_queue(queue(creator_id=None, creator_name=None, rows=two), chat_url=CHAT_URL)
    assert "**Queue** · all your creators" in texts(shown)
    assert "Amber Vale · 🟠 At risk **fan_1**" in texts(shown)
    assert "Mia · 🟠 At risk **fan_2**" in texts(shown)
    assert buttons(shown) == ["Claim", "Release"]
    own = render_queue(queue(creator_id=None, creator_name=None, rows=two), chat_url=CHAT_URL, viewer_id=5)
    assert buttons(own) == ["Claim", "Done"]


def test_the_pager_knows_where_it_is() -> None:
    shown = render_queue(queue(page=2, pages=3), chat_url=CHAT_URL)
    assert "Page 3 of 3" in texts(shown)
    previous, following = [c for c in components(shown) if c.get("label") in ("Previous", "Next")]
    assert previous["custom_id"].endswith(":m1")
    assert (previous["disabled"], following["disabled"]) == (False, True)


def test_an_empty_queue_is_one_sentence() -> None:
    shown = render_queue(queue(rows=(), totals=OpenTotals(0, ())), chat_url=CHAT_URL)
    assert "Nothing is open." in texts(shown)
    assert buttons(shown) == []


@given(st.sampled_from(list(QueueSort)), st.integers(0, 999_999), st.none() | st.integers(0, 2**63 - 1))
def test_a_place_comes_back_from_its_custom_id(sort: QueueSort, page: int, episode_id: int | None) -> None:
    place = Place(sort, page, None if episode_id is None else encode(episode_id))
    text = custom_ids.build(custom_ids.QUEUE_RELEASE, "q", 2**63 - 1, place.text())
    target = custom_ids.parse(text)
    assert target is not None
    assert parse_place(target.arg) == place


@given(st.none() | st.text(max_size=40))
def test_anything_else_is_the_beginning(text: str | None) -> None:
    found = parse_place(text)
    assert found == Place() or found.text() == text or found.page == int((text or "")[1:].split("-")[0])
    assert parse_sort(text or "") in set(QueueSort)


queue_rows = st.lists(
    st.builds(QueueRow, creator_name=views.hostile, row=views.rows),
    min_size=1,
    max_size=10,
    unique_by=lambda one: one.row.episode_id,
).map(tuple)


@settings(max_examples=60, deadline=None)
@given(queue_rows, st.none() | views.hostile, st.integers(0, 40), st.sampled_from(list(QueueSort)))
def test_any_page_stays_within_discords_limits_and_mentions_no_stranger(
    rows: tuple[QueueRow, ...], creator: str | None, page: int, sort: QueueSort
) -> None:
    view = queue(
        creator_id=None if creator is None else BIG_ID,
        creator_name=creator,
        rows=rows,
        page=page,
        pages=41,
        sort=sort,
    )
    shown = render_queue(view, chat_url=CHAT_URL)
    assert_within_limits(shown)
    people = {one.row.claimed_by for one in rows}
    people |= {one.row.owner.discord_id for one in rows if one.row.owner is not None}
    for found in MENTION.findall(texts(shown)):
        assert int("".join(filter(str.isdigit, found))) in people


def test_ten_rows_of_the_longest_names_of_many_creators_still_fit() -> None:
    worst = "𒐫*" * 5_000
    rows = tuple(
        QueueRow(
            worst,
            row(
                n,
                fan=views.fan(worst, platform_fan_id="9" * 400),
                owner=Owner("role", 2**63 - 1),
                pace_cents=10**13,
            ),
        )
        for n in range(10)
    )
    view = queue(creator_id=None, creator_name=None, rows=rows, page=999_998, pages=999_999)
    shown = render_queue(view, chat_url=CHAT_URL)
    assert_within_limits(shown)
    assert texts(shown).count("🟠 At risk") == 10


# Presses


@dataclass
class FakeQueue:
    """23 open episodes of CREATOR; keeps what was asked."""

    desk: FakeDesk
    asked: list[tuple[int | None, QueueSort, int]] = field(default_factory=list)

    async def look(
        self, viewer: Viewer, creator_id: int | None, sort: QueueSort, page: int = 0
    ) -> QueuePage | None:
        if creator_id is not None and creator_id not in viewer.creator_ids:
            return None
        self.asked.append((creator_id, sort, page))
        rows = [
            QueueRow("Amber Vale", replace(row(n), claimed_by=self.desk.claims.get(episode(n))))
            for n in range(page * 10, min(page * 10 + 10, 23))
        ]
        return queue(creator_id=creator_id, sort=sort, page=page, pages=3, rows=tuple(rows))


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk(creators={BOARD: CREATOR})


@pytest.fixture
def asked(desk: FakeDesk) -> FakeQueue:
    return FakeQueue(desk)


async def press(
    asked: FakeQueue,
    viewer: Viewer,
    custom_id: str,
    values: tuple[str, ...] = (),
    *,
    private: bool = True,
) -> FakeInteraction:
    router = Router(
        guild_id=900,
        access=FakeRules(),
        features=[QueueFeature(asked, asked.desk, CHAT_URL)],
        in_flight=InFlight(),
    )
    interaction = FakeInteraction(viewer, ephemeral=private)
    await router.press(cast("discord.Interaction", interaction), custom_id, values)
    return interaction


def claim_of(number: int, *, creator_id: int = CREATOR, verb: str = custom_ids.QUEUE_CLAIM) -> str:
    place = Place(QueueSort.RISK, 1, encode(episode(number)))
    return custom_ids.build(verb, "q", creator_id, place.text())


async def test_a_board_opens_its_creators_queue_in_private(asked: FakeQueue) -> None:
    opener = custom_ids.build(custom_ids.QUEUE, CardKind.BOARD, BOARD)
    done = await press(asked, CHATTER, opener, private=False)
    assert done.kinds == ["message"]
    assert done.log[0][1]["ephemeral"] is True
    assert asked.asked == [(CREATOR, QueueSort.MONEY, 0)]


async def test_a_page_and_an_order_are_shown_in_place(asked: FakeQueue) -> None:
    turn = custom_ids.build(custom_ids.QUEUE, "q", CREATOR, Place(QueueSort.RISK, 2).text())
    assert (await press(asked, CHATTER, turn)).kinds == ["update"]
    pick = custom_ids.build(custom_ids.PICK_QUEUE_SORT, "q", 0, Place(QueueSort.RISK, 2).text())
    assert (await press(asked, CHATTER, pick, ("expiry",))).kinds == ["update"]
    assert asked.asked == [(CREATOR, QueueSort.RISK, 2), (None, QueueSort.EXPIRY, 0)]


async def test_a_claim_stays_on_its_page_and_wakes_the_cards(asked: FakeQueue, desk: FakeDesk) -> None:
    done = await press(asked, CHATTER, claim_of(12))
    assert done.kinds == ["update"]
    assert asked.asked == [(CREATOR, QueueSort.RISK, 1)]
    assert desk.claims == {episode(12): CHATTER.user_id}
    assert desk.woken == 1
    again = await press(asked, CHATTER, claim_of(12))
    assert again.kinds == ["update"]
    late = await press(asked, LEAD, claim_of(12))
    assert late.kinds == ["message"]
    assert "<@1> has this one already." in str(late.log[-1][1]["view"].to_components())
    freed = await press(asked, LEAD, claim_of(12, verb=custom_ids.QUEUE_RELEASE))
    assert freed.kinds == ["update"]
    assert desk.claims == {}


@pytest.mark.parametrize(
    ("viewer", "custom_id", "sentence"),
    [
        (NOBODY, claim_of(1), "This needs the chatter role or higher."),
        (STRANGER, claim_of(1), words.GONE),
        (STRANGER, claim_of(1, verb=custom_ids.QUEUE_RELEASE), words.GONE),
        (STRANGER, custom_ids.build("queue", "b", BOARD), words.GONE),
        (STRANGER, custom_ids.build("queue", "q", CREATOR, "m0"), words.GONE),
        (STRANGER, custom_ids.build("pick_queue_sort", "q", CREATOR, "m0"), words.GONE),
        (CHATTER, custom_ids.build("queue", "b", 404), words.GONE),
        (CHATTER, custom_ids.build("queue", "a", CREATOR, "m0"), words.GONE),
        (CHATTER, custom_ids.build("queue_claim", "a", CREATOR, "m0-1"), words.GONE),
        (CHATTER, custom_ids.build("queue_claim", "q", CREATOR, "m0"), words.GONE),
        (CHATTER, custom_ids.build("queue_claim", "q", CREATOR), words.GONE),
    ],
)
async def test_who_may_not_and_what_is_not_there_is_told_so(
    asked: FakeQueue, desk: FakeDesk, viewer: Viewer, custom_id: str, sentence: str
) -> None:
    done = await press(asked, viewer, custom_id)
    assert (done.kinds, done.sentence) == (["message"], sentence)
    assert asked.asked == []
    assert desk.claims == {}


async def test_on_a_public_message_a_queue_is_a_private_answer(asked: FakeQueue) -> None:
    turn = custom_ids.build(custom_ids.QUEUE, "q", CREATOR, "m1")
    done = await press(asked, CHATTER, turn, private=False)
    assert done.kinds == ["message"]
    assert done.log[0][1]["ephemeral"] is True
