from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.discord_ui.cards import LAYOUTS, render
from bot.domain.models import AlertTier, CardKind
from bot.domain.shifts import ShiftSpan
from bot.domain.views import BoardCard, OnNow, OpenTotals
from tests.bot.discord_ui import views
from tests.bot.discord_ui.test_cards import MENTION, assert_within_limits, buttons, components, texts
from tests.bot.discord_ui.views import BIG_ID, CHAT_URL, NOW, OWNER, row

ANA, BEN = 111_111_111_111_111_111, 222_222_222_222_222_222


def board(**changes: Any) -> BoardCard:
    shown = tuple(row(n) for n in range(1, 3))
    fields: dict[str, Any] = {
        "card_id": BIG_ID,
        "creator_name": "Amber Vale",
        "rows": shown,
        "totals": OpenTotals(len(changes.get("rows", shown)), (("USD", 124_000),)),
        "has_shifts": False,
        "on_shift": (),
        "next_shift": None,
        "winbacks_open": 0,
        "winbacks_overdue": 0,
        "synced_at": NOW,
    }
    return BoardCard(**(fields | changes))


def header(view: BoardCard) -> list[str]:
    shown = [part["content"] for part in components(render(view, chat_url=CHAT_URL)) if part["type"] == 10]
    return str(shown[0]).split("\n")


def test_a_board_says_what_is_open_who_has_it_and_how_old_the_data_is() -> None:
    claimed = row(
        1, tier=AlertTier.ACTION, score=90.2, score_before=None, owner=OWNER, claimed_by=ANA, claimed_at=NOW
    )
    free = row(2, score_before=None)
    view = board(rows=(claimed, free), totals=OpenTotals(12, (("USD", 124_000),)))
    shown = render(view, chat_url=CHAT_URL)
    assert texts(shown).splitlines() == [
        "",
        "**Board** · Amber Vale · 12 open, about $1,240 a month",
        "🔴 Action **fan_1** · 90 · $410 a month",
        f"-# Claimed by <@{ANA}> <t:1772000000:t> · [Open chat](https://onlyfans.com/my/chats/chat/17850)",
        "🟠 At risk **fan_2** · 83 · $410 a month",
        "-# Not claimed · [Open chat](https://onlyfans.com/my/chats/chat/17850)",
        "-# 10 more in the whole queue · Data from <t:1772000000:R>",
    ]
    assert buttons(shown) == ["Release", "Claim", "Whole queue"]
    assert shown.is_layout
    assert shown.live


def test_an_empty_board_says_so_and_still_opens_the_queue() -> None:
    shown = render(board(rows=(), totals=OpenTotals(0, ())), chat_url=CHAT_URL)
    assert "Nothing is open." in texts(shown)
    assert "a month" not in texts(shown)
    assert buttons(shown) == ["Whole queue"]
    assert shown.live


def test_a_closed_board_is_one_line_and_stays_a_layout() -> None:
    shown = render(board(is_over=True), chat_url=CHAT_URL)
    assert texts(shown).strip() == "Board · Amber Vale · closed"
    assert (buttons(shown), shown.live, shown.is_layout) == ([], False, True)
    assert CardKind.BOARD in LAYOUTS


def test_who_is_on_until_when_and_who_comes_next() -> None:
    on = (OnNow(ANA, NOW + 60_000), OnNow(BEN, NOW + 120_000, seen=False))
    assert header(board(has_shifts=True, on_shift=on))[1] == (
        f"On now: <@{ANA}> until <t:1772000060:t>, <@{BEN}> until <t:1772000120:t>, not seen yet"
    )
    coming = ShiftSpan(BEN, NOW + 120_000, NOW + 180_000)
    assert header(board(has_shifts=True, next_shift=coming))[1] == (
        f"Nobody on now; next: <@{BEN}> <t:1772000120:R>"
    )
    assert header(board(has_shifts=True))[1] == "Nobody on now."
    assert len(header(board())) == 1


def test_many_people_on_are_not_all_named() -> None:
    on = tuple(OnNow(ANA + n, NOW + 60_000) for n in range(9))
    line = header(board(has_shifts=True, on_shift=on))[1]
    assert line.count("<@") == 6
    assert line.endswith("and 3 others")


def test_winbacks_are_counted_where_there_are_any() -> None:
    assert "Winbacks" not in texts(render(board(), chat_url=CHAT_URL))
    late = render(board(winbacks_open=14, winbacks_overdue=3), chat_url=CHAT_URL)
    assert "Winbacks: 14 open, 3 overdue" in texts(late)
    fine = render(board(winbacks_open=14), chat_url=CHAT_URL)
    assert "Winbacks: 14 open" in texts(fine)
    assert "overdue" not in texts(fine)


present = st.builds(
    OnNow,
    user_id=st.integers(10**17, 2**63 - 1),
    until_at=st.integers(0, 4_000_000_000_000),
    seen=st.booleans(),
)
spans = st.builds(
    ShiftSpan,
    user_id=st.integers(10**17, 2**63 - 1),
    starts_at=st.just(NOW),
    ends_at=st.none() | st.integers(0, 4_000_000_000_000),
)


@settings(max_examples=60, deadline=None)
@given(
    st.builds(
        BoardCard,
        card_id=st.integers(1, 2**63 - 1),
        creator_name=views.hostile,
        rows=st.lists(views.rows, max_size=8, unique_by=lambda one: one.episode_id).map(tuple),
        totals=st.builds(
            OpenTotals,
            episodes=st.integers(0, 10**9),
            pace_cents=st.lists(
                st.tuples(st.sampled_from(["USD", "EUR"]), st.integers(-(10**13), 10**13)), max_size=4
            ).map(tuple),
        ),
        has_shifts=st.booleans(),
        on_shift=st.lists(present, max_size=30).map(tuple),
        next_shift=st.none() | spans,
        winbacks_open=st.integers(0, 10**9),
        winbacks_overdue=st.integers(0, 10**9),
        synced_at=st.none() | st.just(NOW),
    )
)
def test_any_board_stays_within_discords_limits_and_mentions_no_stranger(view: BoardCard) -> None:
    shown = render(view, chat_url=CHAT_URL)
    assert_within_limits(shown)
    people = {one.claimed_by for one in view.rows} | {one.user_id for one in view.on_shift}
    people |= {one.owner.discord_id for one in view.rows if one.owner is not None}
    people |= {view.next_shift.user_id} if view.next_shift is not None else set()
    for found in MENTION.findall(texts(shown)):
        assert int("".join(filter(str.isdigit, found))) in people
    again = render(view, chat_url=CHAT_URL)
    assert again.fingerprint() == shown.fingerprint()
