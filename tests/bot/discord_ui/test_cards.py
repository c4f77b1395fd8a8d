from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import discord
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.discord_ui.cards import RenderedMessage, render, render_details, render_link, render_top
from bot.discord_ui.custom_ids import parse
from bot.discord_ui.limits import LINE_ONE_GRAPHEMES, graphemes, units
from bot.domain.models import AlertTier
from bot.domain.naming import NameMode, pseudonym, public_label
from bot.domain.views import AlertCard, BaselineCard, GroupedCard, NoticeCard, Owner
from tests.bot.discord_ui import views
from tests.bot.discord_ui.views import CHAT_URL, NOW, OWNER, alert, grouped, row

MENTION = re.compile(r"(?<!\\)<(?:@[!&]?|#)\d+>|@everyone|@here")


def components(rendered: RenderedMessage) -> list[dict[str, Any]]:
    """Every component, nested ones too, as Discord would be sent it."""
    found: list[dict[str, Any]] = []

    def walk(items: list[Any]) -> None:
        for item in items:
            found.append(item)
            walk(item.get("components", []))
            if "accessory" in item:
                walk([item["accessory"]])

    walk(rendered.view.to_components() if rendered.view is not None else [])
    return found


def buttons(rendered: RenderedMessage) -> list[str]:
    return [c["label"] for c in components(rendered) if c["type"] == 2]


def texts(rendered: RenderedMessage) -> str:
    parts = [rendered.content or "", *(c["content"] for c in components(rendered) if c["type"] == 10)]
    for embed in rendered.embeds:
        parts += [embed.title or "", embed.description or ""]
    return "\n".join(parts)


def assert_within_limits(rendered: RenderedMessage) -> None:
    parts = components(rendered)
    assert len(parts) <= 40
    ids = [c["custom_id"] for c in parts if "custom_id" in c]
    assert len(ids) == len(set(ids))
    assert all(len(custom_id) <= 100 and parse(custom_id) is not None for custom_id in ids)
    assert all(len(c.get("url") or "") <= 512 for c in parts)
    assert units(rendered.content or "") <= 2_000
    assert sum(units(c["content"]) for c in parts if c["type"] == 10) <= 4_000
    for embed in rendered.embeds:
        assert units(embed.description or "") <= 4_096
        assert units(embed.title or "") <= 256
        assert len(embed) <= 6_000
    json.dumps(parts)
    texts(rendered).encode("utf-8")
    if rendered.is_layout:
        assert isinstance(rendered.view, discord.ui.LayoutView)
        assert rendered.content is None
        assert rendered.embeds == ()


def test_line_one_reads_on_a_lock_screen() -> None:
    shown = render(alert(row(7, tier=AlertTier.ACTION, owner=OWNER)), chat_url=CHAT_URL)
    assert shown.content == (
        "🔴 Action · Amber Vale · fan_7 · 83 ▲12 · $410 a month · Subscription about to end"
        " · <@123456789012345678>"
    )
    assert buttons(shown) == ["Open chat", "Claim", "Snooze", "More"]
    assert shown.live


def test_the_embed_gives_three_reasons_that_add_up_with_the_rest() -> None:
    shown = render(alert(row(pace_cents=None)), chat_url=CHAT_URL)
    description = shown.embeds[0].description or ""
    assert re.findall(r"\*\*([+−][\d.]+)\*\*", description) == ["+40", "+40", "+10", "−6.8"]
    assert "Subscription: rebill off, ends <t:1772000000:R>" in description
    assert "Spent in all: $1,234" in description
    assert "monthly spend unknown" in description
    assert "Data from <t:1772000000:R>" in description


def test_rebill_is_unknown_until_there_is_evidence() -> None:
    shown = render(alert(row(rebill_off=None)), chat_url=CHAT_URL)
    assert "renews <t:1772000000:R>, rebill unknown" in texts(shown)


def test_a_claimed_card_names_who_has_it_and_offers_to_close_it() -> None:
    shown = render(alert(row(claimed_by=42, claimed_at=NOW, owner=OWNER)), chat_url=CHAT_URL)
    assert "Claimed by <@42> <t:1772000000:t>" in texts(shown)
    assert (shown.content or "").endswith("<@42>")
    assert buttons(shown) == ["Open chat", "Done", "Note", "More"]


def test_a_mention_that_is_asked_for_is_the_only_one_on_line_one() -> None:
    role = Owner("role", 77)
    shown = render(alert(row(owner=OWNER)), chat_url=CHAT_URL, mention=role)
    assert MENTION.findall(shown.content or "") == ["<@&77>"]


def test_the_chat_link_carries_the_id_quoted() -> None:
    shown = render(alert(row(fan=views.fan(platform_fan_id="1/2 ?"))), chat_url=CHAT_URL)
    assert components(shown)[1]["url"] == "https://onlyfans.com/my/chats/chat/1%2F2%20%3F"


def test_a_closed_card_is_one_line_without_components() -> None:
    shown = render(alert(row(tier=None, closed_at=NOW)), chat_url=CHAT_URL)
    assert (shown.content or "").startswith("✅ Cleared: Amber Vale · fan_1 · score 83")
    assert "\n" not in (shown.content or "")
    assert (shown.embeds, shown.view, shown.live) == ((), None, False)


def test_a_card_whose_fan_moved_to_a_list_has_no_buttons_left() -> None:
    shown = render(AlertCard(1, "Amber Vale", row(), NOW, moved=True), chat_url=CHAT_URL)
    assert (shown.view, shown.live) == (None, False)


def test_an_expired_fan_is_told_apart_by_a_word() -> None:
    shown = render(alert(row(tier=AlertTier.ACTION, expired=True, status="expired")), chat_url=CHAT_URL)
    assert (shown.content or "").startswith("⌛ Expired · ")
    assert "Subscription: ended <t:1772000000:R>" in texts(shown)


def test_ten_rows_need_no_pager() -> None:
    shown = render(grouped(tuple(row(n) for n in range(10))), chat_url=CHAT_URL)
    assert buttons(shown) == ["Claim"] * 10
    assert "🟠 **10 fans newly at risk** · Amber Vale · about $4,100 a month" in texts(shown)


def test_more_rows_bring_a_pager_and_the_first_page() -> None:
    rows = tuple(row(n, claimed_by=5 if n == 1 else None) for n in range(23))
    shown = render(grouped(rows), chat_url=CHAT_URL)
    assert buttons(shown) == ["Claim", "Release", *["Claim"] * 8, "Previous", "Next"]
    assert "Page 1 of 3" in texts(shown)
    assert "fan_9**" in texts(shown)
    assert "fan_10**" not in texts(shown)


def test_a_grouped_card_that_shrank_says_of_how_many() -> None:
    shown = render(grouped((row(),), started_with=9), chat_url=CHAT_URL)
    assert "**1 of 9 fans newly at risk**" in texts(shown)


def test_whoever_is_called_for_a_row_further_down_is_named_in_the_header() -> None:
    ben = Owner("user", 42)
    rows = tuple(row(n, owner=ben if n == 10 else OWNER) for n in range(11))
    listed = grouped(rows)
    assert "<@42>" not in texts(render(listed, chat_url=CHAT_URL))
    assert "-# <@42>: one of these is for you" in texts(render(listed, chat_url=CHAT_URL, mention=ben))
    # An edit keeps the line for as long as that row is theirs.
    called = replace(listed, called=ben)
    assert "-# <@42>: one of these is for you" in texts(render(called, chat_url=CHAT_URL))
    assert "one of these" not in texts(render(replace(called, rows=rows[:10]), chat_url=CHAT_URL))
    # Who stands among the rows that are shown is called by that.
    assert "one of these" not in texts(render(listed, chat_url=CHAT_URL, mention=OWNER))


def test_ended_subscriptions_have_a_heading_of_their_own() -> None:
    rows = tuple(row(n, expired=True, tier=AlertTier.ACTION) for n in range(4))
    assert "⌛ **4 subscriptions ended**" in texts(render(grouped(rows, expired=True), chat_url=CHAT_URL))


def test_a_list_with_nothing_open_keeps_its_kind_and_loses_its_buttons() -> None:
    shown = render(GroupedCard(1, "Amber Vale", False, (), 9, NOW), chat_url=CHAT_URL)
    assert shown.is_layout
    assert not shown.live
    assert [c["type"] for c in components(shown)] == [10]


def test_the_baseline_says_that_nobody_was_pinged() -> None:
    view = BaselineCard(3, "Amber Vale", 37, 12, 0, 640, NOW)
    shown = render(view, chat_url=CHAT_URL)
    assert shown.content == (
        "Baseline · Amber Vale: **37 fans above 60** (12 above 80) out of 640 · nobody was pinged"
    )
    assert buttons(shown) == ["Top 10 by money"]
    second = render_top(view, tuple(row(n) for n in range(12)), chat_url=CHAT_URL, page=1)
    assert buttons(second) == ["Claim", "Claim", "Previous", "Next"]
    assert not render_top(view, (), chat_url=CHAT_URL).live


def test_a_baseline_says_the_creators_own_thresholds() -> None:
    shown = render(
        BaselineCard(3, "Amber Vale", 37, 12, 0, 640, NOW, fire_above=45.5, action_above=75),
        chat_url=CHAT_URL,
    )
    assert "37 fans above 45.5** (12 above 75)" in (shown.content or "")


@pytest.mark.parametrize(
    ("cause", "begins"),
    [
        ("thresholds", "New thresholds"),
        ("reconnected", "Reconnected"),
        ("resumed", "Watched again"),
        ("import", "History imported"),
    ],
)
def test_a_later_baseline_says_why_and_what_moved(cause: Any, begins: str) -> None:
    view = BaselineCard(3, "Amber Vale", 30, 4, 5, 640, NOW, fire_above=55, cause=cause, opened=12)
    assert render(view, chat_url=CHAT_URL).content == (
        f"{begins} · Amber Vale: **12 newly above 55**, 5 dropped · 30 open now (4 above 80) out of 640 fans"
        " · nobody was pinged"
    )


def test_a_hidden_fan_is_neither_named_nor_linked() -> None:
    hidden = public_label(views.fan("joe"), NameMode.HIDDEN, 1, claimed=False)
    for shown in (
        render(alert(row(fan=hidden)), chat_url=CHAT_URL),
        render(grouped((row(fan=hidden), row(2, fan=hidden))), chat_url=CHAT_URL),
    ):
        assert pseudonym(1) in texts(shown)
        assert "Open chat" not in buttons(shown)
        assert not re.search(r"joe|17850|onlyfans", json.dumps(components(shown)) + texts(shown))


def test_a_creators_own_chat_link_goes_before_the_agencys() -> None:
    own = row(chat_url="https://chats.example/{fan_id}/x")
    shown = render(alert(own), chat_url=CHAT_URL)
    assert [c["url"] for c in components(shown) if "url" in c] == ["https://chats.example/17850/x"]


def test_a_notice_says_since_when_and_what_to_do_and_shrinks_when_over() -> None:
    shown = render(NoticeCard(4, "session_expired", "Amber Vale", NOW, NOW, None), chat_url=CHAT_URL)
    assert "session has expired" in (shown.content or "")
    assert "Reconnect" in (shown.content or "")
    assert buttons(shown) == ["Details"]
    over = NoticeCard(4, "session_expired", "Amber Vale", NOW, NOW, NOW + 1)
    assert not render(over, chat_url=CHAT_URL).live
    assert "`session_expired`" in (render_details(over).content or "")


def test_every_notice_has_words() -> None:
    codes = NoticeCard.__annotations__["code"]
    for code in re.findall(r'"([a-z_]+)"', codes):
        assert render(NoticeCard(1, code, None, NOW, None, None), chat_url=CHAT_URL).content


def test_the_link_left_behind_has_no_components() -> None:
    assert render_link("https://x", is_layout=False).view is None
    assert [c["type"] for c in components(render_link("https://x", is_layout=True))] == [10]


def test_equal_views_have_equal_fingerprints_and_other_views_others() -> None:
    view = alert()
    first = render(view, chat_url=CHAT_URL).fingerprint()
    assert render(view, chat_url=CHAT_URL).fingerprint() == first
    assert render(alert(row(claimed_by=1)), chat_url=CHAT_URL).fingerprint() != first
    rows = tuple(row(n) for n in range(12))
    assert (
        render(grouped(rows), chat_url=CHAT_URL).fingerprint()
        == render(grouped(rows), chat_url=CHAT_URL).fingerprint()
    )


@settings(max_examples=60, deadline=None)
@given(views.rows, views.hostile, views.owners, st.booleans())
def test_an_alert_holds_its_limits_whatever_people_call_themselves(
    changed: Any, creator: str, mention: Owner | None, closed: bool
) -> None:
    view = AlertCard(views.BIG_ID, creator, changed, NOW, moved=closed)
    shown = render(view, chat_url=CHAT_URL, mention=mention)
    assert_within_limits(shown)
    line = shown.content or ""
    assert "\n" not in line
    if shown.live:
        assert len(graphemes(line)) <= LINE_ONE_GRAPHEMES
        assert len(MENTION.findall(line)) <= 1
    known = {changed.claimed_by, changed.owner and changed.owner.discord_id, mention and mention.discord_id}
    for found in MENTION.findall(texts(shown)):
        assert int(re.sub(r"\D", "", found)) in known


@settings(max_examples=25, deadline=None)
@given(st.lists(views.rows, max_size=12, unique_by=lambda r: r.episode_id), views.hostile, st.booleans())
def test_a_list_holds_its_limits_whatever_people_call_themselves(
    rows: list[Any], creator: str, expired: bool
) -> None:
    view = GroupedCard(views.BIG_ID, creator, expired, tuple(rows), len(rows), NOW)
    shown = render(view, chat_url=CHAT_URL)
    assert_within_limits(shown)
    known = {r.claimed_by for r in rows} | {r.owner.discord_id for r in rows if r.owner is not None}
    for found in MENTION.findall(texts(shown)):
        assert int(re.sub(r"\D", "", found)) in known


def test_ten_rows_of_the_longest_names_still_fit() -> None:
    worst = "𒐫*" * 5_000
    rows = tuple(
        row(
            n,
            fan=views.fan(worst, platform_fan_id="9" * 400),
            owner=Owner("role", 2**63 - 1),
            pace_cents=10**13,
        )
        for n in range(30)
    )
    view = GroupedCard(views.BIG_ID, worst, False, rows, 30, NOW)
    assert_within_limits(render(view, chat_url=CHAT_URL))
