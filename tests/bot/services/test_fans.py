from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from bot.domain.behaviour import Evidence
from bot.domain.models import AccessTier, Viewer
from bot.domain.views import FanChoice, FanProfile
from bot.services.fans import FanService, parse_value
from tests.bot.discord_ui import views

CHATTER = Viewer(1, AccessTier.CHATTER, frozenset({7}))
BLIND = Viewer(2, AccessTier.CHATTER, frozenset())
NOW = 1_772_000_000_000


def choice(fan_account_id: int) -> FanChoice:
    return FanChoice(fan_account_id, "Amber Vale", views.fan(f"fan_{fan_account_id}"), 100, "USD", None)


@dataclass
class Tables:
    """Stands in for the store and for the two storage modules; `calls` is what was asked, in order."""

    mine: dict[int, FanChoice] = field(default_factory=lambda: {5: choice(5)})
    exact: dict[str, list[FanChoice]] = field(default_factory=dict)
    calls: list[tuple[Any, ...]] = field(default_factory=list)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Tables]:
        yield self

    async def write(self, change: Callable[[Any], Awaitable[None]]) -> None:
        await change(self)

    async def search_names(
        self, tx: Any, creator_ids: Collection[int], prefix: str, limit: int
    ) -> list[FanChoice]:
        self.calls.append(("search", set(creator_ids), prefix, limit))
        return [choice(5)]

    async def top_by_money(self, tx: Any, creator_ids: Collection[int], limit: int) -> list[FanChoice]:
        self.calls.append(("top", set(creator_ids), limit))
        return [choice(6)]

    async def find_exact(self, tx: Any, creator_ids: Collection[int], text: str) -> list[FanChoice]:
        return self.exact.get(text, [])

    async def find_choice(
        self, tx: Any, creator_ids: Collection[int], fan_account_id: int
    ) -> FanChoice | None:
        return self.mine.get(fan_account_id)

    async def get_profile(
        self, tx: Any, creator_ids: Collection[int], fan_account_id: int, now_ms: int
    ) -> FanProfile | None:
        self.calls.append(("profile", fan_account_id, now_ms))
        return views.profile(fan_account_id=fan_account_id, creator_id=7)

    async def read_evidence(self, tx: Any, creator_id: int, fan_account_id: int) -> Evidence:
        self.calls.append(("evidence", creator_id, fan_account_id))
        return Evidence("UTC", (), None, None, None, (), {}, (), None)

    async def append(self, tx: Any, *row: Any) -> None:
        self.calls.append(("audit", *row[:-1]))


class FixedClock:
    def now_ms(self) -> int:
        return NOW


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> Tables:
    made = Tables()
    monkeypatch.setattr("bot.services.fans.fan_search", made)
    monkeypatch.setattr("bot.services.fans.fan_behaviour", made)
    monkeypatch.setattr("bot.services.records.audit", made)
    return made


def service(tables: Tables) -> FanService:
    return FanService(cast("Any", tables), FixedClock())


@pytest.mark.parametrize("text", ["", "  ", "@"])
async def test_nothing_typed_gives_those_with_the_most_money(tables: Tables, text: str) -> None:
    assert await service(tables).autocomplete(CHATTER, text) == [choice(6)]
    assert tables.calls == [("top", {7}, 25)]


async def test_a_prefix_is_searched_among_the_viewers_creators_only(tables: Tables) -> None:
    assert await service(tables).autocomplete(CHATTER, " @fan") == [choice(5)]
    assert tables.calls == [("search", {7}, "fan", 25)]


async def test_who_sees_no_creator_finds_nothing(tables: Tables) -> None:
    assert await service(tables).autocomplete(BLIND, "") == []
    assert await service(tables).resolve(BLIND, "f:5") is None
    assert tables.calls == []


async def test_a_view_is_on_record_with_ids_only(tables: Tables) -> None:
    found = await service(tables).resolve(CHATTER, "f:5")
    assert isinstance(found, FanProfile)
    assert tables.calls == [
        ("profile", 5, NOW),
        ("evidence", 7, 5),
        ("audit", CHATTER.user_id, "view_fan", "fan_account", 5, 7, NOW),
    ]


@pytest.mark.parametrize("value", ["f:6", "nobody", "f:", "f:!!", "", "@"])
async def test_a_foreign_fan_and_a_missing_one_give_the_same_answer(tables: Tables, value: str) -> None:
    assert await service(tables).resolve(CHATTER, value) is None
    assert tables.calls == []


async def test_one_exact_name_gives_the_profile_and_several_a_list(tables: Tables) -> None:
    tables.exact = {"joe": [choice(5)], "ann": [choice(n) for n in range(40)]}
    assert isinstance(await service(tables).resolve(CHATTER, "@joe"), FanProfile)
    several = await service(tables).resolve(CHATTER, "ann")
    assert isinstance(several, list)
    assert len(several) == 25
    assert [call[0] for call in tables.calls] == ["profile", "evidence", "audit"]


async def test_a_username_that_looks_like_a_choice_is_still_found(tables: Tables) -> None:
    tables.exact = {"f:zz": [choice(5)]}
    assert isinstance(await service(tables).resolve(CHATTER, "f:zz"), FanProfile)


@pytest.mark.parametrize(
    ("text", "expected"), [("f:5", 5), ("f:10", 36), ("F:5", None), ("5", None), ("f:-1", None)]
)
def test_parse_value(text: str, expected: int | None) -> None:
    assert parse_value(text) == expected
