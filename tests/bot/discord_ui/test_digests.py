"""A digest in words: what it says and leaves out, within Discord's limits whatever fans call themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.discord_ui.cards import LAYOUTS, render
from bot.discord_ui.digests import render_left
from bot.domain.digests import EXPIRIES, Ending, Figures, Gap, Part, Waiting, add_up
from bot.domain.models import MS_PER_HOUR, CardKind
from bot.domain.views import DigestCard, DigestPart, FanLabel, QueueRow
from tests.bot.discord_ui import views
from tests.bot.discord_ui.test_cards import MENTION, assert_within_limits, buttons, texts
from tests.bot.discord_ui.views import BIG_ID, CHAT_URL, NOW, row

BUSY = Figures(
    NOW - 24 * MS_PER_HOUR,
    NOW,
    at_risk=5,
    action=3,
    ended=1,
    claimed=4,
    cleared=2,
    outcomes={"lost": 1, "kept": 2, "false_alarm": 1},
    saved_cents={"USD": 123_400, "EUR": 9_900},
    lost_cents={"USD": 45_000},
    open=12,
    unmentioned=(BIG_ID + 1, BIG_ID + 2),
    oldest=Waiting(BIG_ID + 3, 1, NOW - 5 * MS_PER_HOUR, 41_000),
    endings=(Ending(2, NOW + MS_PER_HOUR, 20_000), Ending(3, NOW + 2 * MS_PER_HOUR)),
    endings_in_all=4,
    followups=2,
    promises=1,
    late=1,
    gaps=(Gap(NOW + MS_PER_HOUR, NOW + 3 * MS_PER_HOUR),),
    muted=2,
    muted_whole=1,
    held=1,
)
FANS = {number: views.fan(f"fan_{number}") for number in (1, 2, 3)}


def digest(figures: Figures = BUSY, **changes: Any) -> DigestCard:
    fields: dict[str, Any] = {
        "card_id": BIG_ID,
        "creator_name": "Amber Vale",
        "day": "2026-03-01",
        "figures": figures,
        "fans": FANS,
        "parts": (),
    }
    return DigestCard(**(fields | changes))


def at(hours: int) -> int:
    return (NOW + hours * MS_PER_HOUR) // 1_000


def test_a_busy_day_is_told_line_by_line() -> None:
    shown = render(digest(), chat_url=CHAT_URL)
    assert texts(shown).strip().splitlines() == [
        "**Digest** · Amber Vale · Sun 1 March · 12 open now",
        "🆕 **New:** 3 action items, 1 of them ended and 5 at risk.",
        "🙋 **Worked:** 4 claimed, 2 no longer at risk.",
        "✅ **Closed:** 2 saved, 1 lost, 1 false alarm.",
        "💚 **Saved:** $1,234 and 99 EUR a month.",
        "💔 **Lost:** $450 a month.",
        "🔕 **Nobody was called for 2 action items**, because the limit of mentions was reached,"
        " or the fan had 3 contacts in 48 hours.",
        f"⏳ **Waits longest for a claim:** **fan_1**, since <t:{at(-5)}:R>, $410 a month.",
        "⌛ **4 subscriptions end within 3 days, rebill off:**",
        f"• **fan_2** · <t:{at(1)}:R> · $200 a month",
        f"• **fan_3** · <t:{at(2)}:R> · monthly spend unknown",
        "… and 2 more",
        "📌 **2 follow-ups due today** (1 promise, 1 late already).",
        f"🕳️ **Nobody is planned:** <t:{at(1)}:t> to <t:{at(3)}:t>.",
        "🔇 Muted: all new alerts and 2 fans; not to be contacted: 1 fan.",
    ]
    assert buttons(shown) == ["Queue", "Show them"]
    assert shown.is_layout
    assert CardKind.DIGEST in LAYOUTS


def test_a_quiet_day_is_one_friendly_line_and_still_live() -> None:
    shown = render(digest(Figures(0, NOW)), chat_url=CHAT_URL)
    assert texts(shown).strip().splitlines() == [
        "**Digest** · Amber Vale · Sun 1 March · 0 open now",
        "A quiet day: nothing new, and nobody is waiting for you. 🌿",
    ]
    assert buttons(shown) == ["Queue"]
    assert shown.live


def test_while_something_is_open_or_nobody_is_planned_it_does_not_say_that_nobody_waits() -> None:
    shown = render(digest(Figures(0, NOW, open=3)), chat_url=CHAT_URL)
    assert texts(shown).strip().splitlines() == [
        "**Digest** · Amber Vale · Sun 1 March · 3 open now",
        "Nothing new came up.",
    ]
    of_zoe = Figures(0, NOW, gaps=(Gap(NOW, NOW + MS_PER_HOUR),))
    view = digest(add_up([Part(2, of_zoe)], 0, NOW), creator_name=None, parts=(DigestPart("Zoe", of_zoe),))
    assert texts(render(view, chat_url=CHAT_URL)).strip().splitlines() == [
        "**Digest** · all creators · Sun 1 March · 0 open now",
        "Nothing new came up.",
        "• **Zoe** 0 open now · 1 gap in the plan",
    ]


def test_the_agencys_has_a_line_for_each_creator_and_no_fan() -> None:
    parts = [Part(1, BUSY), Part(2, Figures(0, NOW, open=1))]
    lines = [DigestPart("Amber Vale", BUSY), DigestPart("Zoe", parts[1].figures)]
    view = digest(add_up(parts, 0, NOW), creator_name=None, fans={}, parts=tuple(lines))
    text = texts(render(view, chat_url=CHAT_URL))
    assert "**Digest** · all creators · Sun 1 March · 13 open now" in text
    assert (
        "• **Amber Vale** 12 open now · 8 new · 4 claimed · 2 saved, 1 lost, 1 false alarm"
        " · saved $1,234 and 99 EUR a month · lost $450 a month · 2 not called for · 1 gap in the plan"
        in text
    )
    assert "• **Zoe** 1 open now" in text
    assert f"⏳ **The oldest unclaimed action item** is from <t:{at(-5)}:R>." in text
    assert "⌛ **4 subscriptions end** within 3 days, rebill off." in text
    assert "fan_" not in text


def test_the_creators_with_most_to_do_come_first_and_are_not_cut() -> None:
    calm = tuple(DigestPart(f"Calm {n:02}", Figures(0, NOW, open=1)) for n in range(200))
    some = DigestPart("Some", Figures(0, NOW, action=1, open=2))
    more = DigestPart("More", Figures(0, NOW, open=9))
    left = DigestPart("Left", Figures(0, NOW, open=1, unmentioned=(BIG_ID + 1,)))
    view = digest(
        Figures(0, NOW, open=9), creator_name=None, fans={}, parts=(*reversed(calm), more, some, left)
    )
    lines = [line for line in texts(render(view, chat_url=CHAT_URL)).splitlines() if line.startswith("• ")]
    assert [line.split("**")[1] for line in lines[:5]] == ["Left", "Some", "More", "Calm 00", "Calm 01"]
    assert len(lines) < 200


def test_a_forgotten_fan_has_no_name() -> None:
    text = texts(render(digest(fans={}), chat_url=CHAT_URL))
    assert "a forgotten fan" in text
    assert "fan_" not in text


def test_the_same_digest_comes_out_the_same() -> None:
    prints = {render(digest(), chat_url=CHAT_URL).fingerprint() for _ in range(2)}
    assert len(prints) == 1


COUNTS = st.integers(0, 10**9)
NUMBERS = (
    "at_risk",
    "action",
    "ended",
    "claimed",
    "cleared",
    "open",
    "endings_in_all",
    "followups",
    "promises",
)
NUMBERS_OF_CALM = ("late", "muted", "muted_whole", "held")
MONEY = st.dictionaries(st.text(max_size=12), st.integers(-(10**15), 10**15), max_size=6)


@st.composite
def figures(draw: st.DrawFn) -> Figures:
    counts = {name: draw(COUNTS) for name in (*NUMBERS, *NUMBERS_OF_CALM)}
    return Figures(
        0,
        NOW,
        outcomes=draw(
            st.dictionaries(st.sampled_from(["kept", "waiting", "lost", "false_alarm", "x"]), COUNTS)
        ),
        saved_cents=draw(MONEY),
        lost_cents=draw(MONEY),
        unmentioned=tuple(range(BIG_ID, BIG_ID + draw(st.integers(0, 200)))),
        oldest=draw(st.none() | st.just(Waiting(1, 1, NOW, 10**12, "USD"))),
        endings=tuple(Ending(2, NOW, 10**12) for _ in range(draw(st.integers(0, EXPIRIES)))),
        gaps=tuple(Gap(NOW, NOW + 1) for _ in range(draw(st.integers(0, 40)))),
        **counts,
    )


@settings(max_examples=25, deadline=None)
@given(figures(), views.hostile, views.hostile, st.integers(0, 120), st.booleans())
def test_every_digest_is_within_discords_limits_and_pings_nobody(
    found: Figures, creator: str, fan: str, creators: int, whole: bool
) -> None:
    label = FanLabel("1", fan, fan, fan)
    view = digest(
        found,
        creator_name=None if whole else creator,
        fans={} if whole else {1: label, 2: label},
        parts=tuple(DigestPart(creator, found) for _ in range(creators)) if whole else (),
    )
    shown = render(view, chat_url=CHAT_URL)
    assert_within_limits(shown)
    assert shown.live
    assert MENTION.search(texts(shown)) is None
    assert "@everyone" not in texts(shown)


def test_the_list_behind_it_is_paged_and_each_row_can_be_claimed() -> None:
    rows = tuple(QueueRow("Amber Vale", row(n, claimed_by=5 if n == 2 else None)) for n in range(1, 13))
    first = render_left(BIG_ID, rows, chat_url=CHAT_URL, named=False)
    assert buttons(first) == ["Claim", "Release", *["Claim"] * 8, "Previous", "Next"]
    assert "Amber Vale" not in texts(first)
    last = render_left(BIG_ID, rows, chat_url=CHAT_URL, page=99, named=True)
    assert buttons(last) == ["Claim", "Claim", "Previous", "Next"]
    assert "Amber Vale · " in texts(last)
    done = render_left(BIG_ID, (), chat_url=CHAT_URL, named=False)
    assert texts(done).strip() == "All of them are closed by now."


@settings(max_examples=10, deadline=None)
@given(st.lists(views.rows, min_size=8, max_size=10), views.hostile)
def test_the_list_is_within_discords_limits(found: list[Any], creator: str) -> None:
    rows = tuple(QueueRow(creator, replace(one, episode_id=BIG_ID + n)) for n, one in enumerate(found))
    shown = render_left(BIG_ID, rows, chat_url=CHAT_URL, named=True)
    assert_within_limits(shown)
    assert len(buttons(shown)) == len(rows)
