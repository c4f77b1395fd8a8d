from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from bot.discord_ui import setup_panel as panel
from bot.discord_ui.creator_pages import render_change, render_list, render_profile, render_settings
from bot.discord_ui.limits import (
    CUSTOM_ID_CHARS,
    EMBED_DESCRIPTION_UNITS,
    LAYOUT_COMPONENTS,
    LAYOUT_TEXT_UNITS,
    units,
)
from bot.discord_ui.rendered import RenderedMessage
from bot.discord_ui.setup_panel import Panel
from bot.discord_ui.status_page import Connection, duration, render_status
from bot.domain.models import AccessTier, AccountRecord
from bot.domain.naming import NameMode
from bot.services.creator_profiles import CreatorProfile
from bot.services.creator_results import ChangeResult
from bot.services.setup import TIERS, SetupCreator, SetupState
from bot.services.status import CreatorStatus, StatusReport, WaitingCards
from tests.bot.discord_ui.views import BIG_ID, NOW

MANY = 120
HOSTILE = [
    "",
    "@everyone",
    "<@123> <@&9> <#77> </fan lookup:1>",
    "[a](http://b.example) https://evil.example/x",
    "**_`~|>\n# big\n- list",
    "\u202e\u200b\ud800",
    "é" + "\u0301" * 50,
    "👨‍👩‍👧‍👦" * 200,
    "𒐫" * 500,
    "*" * 10_000,
]


def state(creators: tuple[SetupCreator, ...] = (), roles: int = 0) -> SetupState:
    return SetupState(
        timezone="Europe/Paris",
        notice_channel_id=BIG_ID,
        roles={tier: tuple(BIG_ID + n for n in range(roles)) for tier in TIERS},
        creators=creators,
        done=False,
    )


def of(shown: SetupState) -> Panel:
    return Panel(shown, datetime(2026, 3, 2, 9, 0), "said " * 50)  # noqa: DTZ001 - a wall clock


def creator(name: str, number: int = 0) -> SetupCreator:
    return SetupCreator(BIG_ID + number, name, BIG_ID, BIG_ID, (BIG_ID,) * 9)


def profile(name: str = "Ava", **changes: Any) -> CreatorProfile:
    fields: dict[str, Any] = {
        "creator_id": BIG_ID,
        "name": name,
        "account_id": "acct_ava",
        "channel_id": 401,
        "state": "active",
        "synced_at": NOW,
        "next_look_at": NOW,
        "failed_polls": 0,
        "open_alerts": 3,
        "open_actions": 1,
        "default_chatter_id": None,
        "lead_ids": (),
        "fire_above": 60.0,
        "action_above": 80.0,
        "clear_below": 50.0,
        "action_clear_below": 70.0,
        "timezone": None,
        "agency_timezone": "Europe/Paris",
        "name_mode": NameMode.HANDLE,
        "chat_url": None,
        "own_credits_per_day": None,
        "credits_per_day": 85,
        "webhook_at": None,
        "baseline_pending": False,
    }
    return CreatorProfile(**(fields | changes))


def walk(items: list[Any]) -> Iterator[Any]:
    for item in items:
        yield item
        yield from walk(item.get("components", []))


def within_limits(shown: RenderedMessage) -> None:
    assert shown.view is not None
    items = list(walk(shown.view.to_components()))
    assert len(items) <= LAYOUT_COMPONENTS
    assert sum(units(item["content"]) for item in items if "content" in item) <= LAYOUT_TEXT_UNITS
    ids = [item["custom_id"] for item in items if "custom_id" in item]
    assert len(set(ids)) == len(ids)
    for item in items:
        assert len(item.get("custom_id", "")) <= CUSTOM_ID_CHARS
        assert item["type"] != 1 or 1 <= len(item["components"]) <= 5
        options = item.get("options", ())
        assert item["type"] != 3 or 1 <= len(options) <= 25
        for option in options:
            assert 1 <= units(option["label"]) <= 100
            assert units(option.get("description") or "") <= 100


@pytest.mark.parametrize("page", [0, 3, 9])
@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_every_page_is_within_discords_limits_whatever_people_are_called(name: str, page: int) -> None:
    crowd = of(state(tuple(creator(name, n) for n in range(MANY)), roles=12))
    accounts = [AccountRecord(f"{n}{name}", None, name, name, True) for n in range(MANY)]
    for shown in (
        panel.render_overview(crowd),
        panel.render_roles(crowd, {BIG_ID + n for n in range(12)}),
        panel.render_notices(crowd),
        panel.render_creators(crowd, accounts, page),
        panel.render_creators(crowd, None, page),
        panel.render_creators(of(state()), [], page),
        panel.render_account(crowd, accounts[0]),
        panel.render_creator(crowd, creator(name)),
    ):
        within_limits(shown)


def test_roles_the_server_no_longer_has_are_not_offered_as_chosen() -> None:
    shown = panel.render_roles(of(state(roles=3)), {BIG_ID})
    assert shown.view is not None
    menus = [item for item in walk(shown.view.to_components()) if item["type"] == 6]
    assert len(menus) == 4
    assert [[one["id"] for one in item["default_values"]] for item in menus] == [[str(BIG_ID)]] * 4


@pytest.mark.parametrize(
    ("arg", "meant"),
    [
        (None, ("", 0)),
        ("roles", ("roles", 0)),
        ("creators-2-n", ("creators", 2)),
        ("creators-x", ("creators", 0)),
    ],
)
def test_a_page_is_named_by_its_button(arg: str | None, meant: tuple[str, int]) -> None:
    assert panel.page_of(arg) == meant
    assert panel.tier_named("lead") is AccessTier.LEAD
    assert panel.tier_named("king") is None


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_lists_of_creators_fit_whatever_they_are_called(name: str) -> None:
    crowd = [profile(name, account_id=name, timezone="Asia/Manila", failed_polls=2) for _ in range(MANY)]
    report = StatusReport(
        tuple(CreatorStatus(one, "poll", NOW, name, 4) for one in crowd),
        tuple(WaitingCards(n, None, name, 3) for n in range(MANY)),
        "api_down",
        True,
        BIG_ID,
        1,
        90,
    )
    connection = Connection(float("nan"), {401: None, BIG_ID: ["Send Messages"]})
    for shown in (
        render_list(crowd),
        render_profile(crowd[0], [BIG_ID] * MANY, ["Send Messages"]),
        render_settings(crowd[0]),
        render_status(report, connection),
    ):
        (embed,) = shown.embeds
        assert units(embed.description or "") <= EMBED_DESCRIPTION_UNITS
        assert units(embed.title or "") <= 256
        assert "@everyone" not in (embed.description or "")


def test_a_change_reads_from_what_was_to_what_is() -> None:
    result = ChangeResult(
        "changed",
        {"fire_above": None, "name_mode": None, "default_chatter_id": 5},
        {"fire_above": 45.5, "name_mode": "hidden", "default_chatter_id": 6},
        BIG_ID,
        baseline=True,
    )
    shown = render_change("A_v_a", BIG_ID, result)
    assert (shown.content or "").startswith(
        "A_v_a: at-risk threshold 60 → 45.5; names on cards handles → hidden until somebody claims the fan;"
        " default chatter <@5> → <@6>. "
    )
    assert shown.live
    assert not render_change("Ava", BIG_ID, result, undone=True).live


class TestStatus:
    def report(self, *creators: CreatorProfile, **changes: Any) -> StatusReport:
        fields: dict[str, Any] = {
            "creators": tuple(CreatorStatus(one, "walk", NOW, None, 12) for one in creators),
            "waiting": (),
            "api_trouble": None,
            "set_up": True,
            "notice_channel_id": 7,
            "database_bytes": 3 << 20,
            "uptime_s": 3_700,
            "credits_today": 30,
        }
        return StatusReport(**(fields | changes))

    def text(self, report: StatusReport, lacking: dict[int, Any] | None = None, latency: float = 0.04) -> str:
        return str(render_status(report, Connection(latency, lacking or {})).embeds[0].description)

    def test_says_when_a_webhook_came_last_where_they_are_received(self) -> None:
        heard, unheard = profile(webhook_at=NOW), profile("Bea", webhook_at=None)
        text = self.text(self.report(heard, unheard, webhooks=True))
        assert f"last webhook <t:{NOW // 1_000}:R>" in text
        assert "no webhook yet" in text
        assert "webhook" not in self.text(self.report(heard, unheard))

    def test_says_first_that_all_is_well(self) -> None:
        text = self.text(self.report(profile()))
        assert text.startswith("✅ All well.\n")
        for part in (
            "12 of 85 credits today",
            "Credits today: 30",
            "Discord: 40 ms",
            "Database: 3.0 MB",
            "Running for 1 h 1 min",
        ):
            assert part in text

    def test_names_the_permission_the_channel_and_what_to_do(self) -> None:
        text = self.text(self.report(profile()), {401: ["Send Messages"]})
        first = text.splitlines()[0]
        assert first == (
            "⚠️ Fanwatch lacks the permission Send Messages in <#401>; grant it in the channel's settings."
        )

        both = self.text(self.report(profile()), {401: ["Send Messages", "Embed Links"]}).splitlines()[0]
        assert both.endswith(
            "the permissions Send Messages, Embed Links in <#401>; grant them in the channel's settings."
        )

    def test_a_blocked_card_whose_cause_was_named_is_not_told_twice(self) -> None:
        waiting = (
            WaitingCards(401, 1, "the bot may not write in the channel", 2),
            WaitingCards(402, 1, "gone", 1),
        )
        text = self.text(self.report(profile(), waiting=waiting), {401: ["Send Messages"]})
        assert "⚠️ 2 things need a look:" in text
        assert "1 card cannot be posted in <#402>: gone." in text
        assert "<#401>:" not in text

    def test_a_failing_creator_is_named_with_the_next_try(self) -> None:
        text = self.text(self.report(profile(failed_polls=2)))
        assert text.startswith("⚠️ Ava: 2 looks failed in a row; Fanwatch tries again <t:")

    def test_a_retired_creator_is_no_trouble(self) -> None:
        text = self.text(self.report(profile(state="retired", failed_polls=9)), {401: None})
        assert text.startswith("✅ All well.")

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"set_up": False}, "/setup"),
            ({"creators": ()}, "No creator is watched"),
            ({"api_trouble": "key_refused"}, "The data API refuses the key. An operator"),
        ],
    )
    def test_what_concerns_the_agency_is_said_too(self, changes: dict[str, Any], words: str) -> None:
        assert words in self.text(self.report(profile(), **changes)).splitlines()[0]

    def test_an_unknown_latency_is_said_to_be_unknown(self) -> None:
        assert "Discord: unknown" in self.text(self.report(profile()), latency=float("inf"))

    @pytest.mark.parametrize(
        ("seconds", "words"), [(59, "0 min"), (3_700, "1 h 1 min"), (90_000, "1 d 1 h"), (60, "1 min")]
    )
    def test_a_duration_has_its_two_largest_units(self, seconds: int, words: str) -> None:
        assert duration(seconds) == words
