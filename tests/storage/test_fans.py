from __future__ import annotations

from collections.abc import Sequence

from bot.domain.models import FanRecord
from storage import fan_search, fans
from storage.fans import FanPageResult
from storage.scores import ScoreInput, read_score_page
from tests.storage.conftest import DAY, NOW, Agency
from tests.storage.records import fan


async def _apply(agency: Agency, records: Sequence[FanRecord], now: int = NOW) -> FanPageResult:
    return await agency.store.write(lambda tx: fans.apply_fan_page(tx, agency.ava, records, now, 1))


async def _page(agency: Agency, now: int = NOW) -> list[ScoreInput]:
    async with agency.store.read() as tx:
        return await read_score_page(tx, agency.ava, None, 1_000, now)


async def _find(agency: Agency, text: str) -> list[str]:
    async with agency.store.read() as tx:
        found = await fan_search.search_names(tx, {agency.ava}, text, 25)
        return [choice.fan.platform_fan_id for choice in found]


async def test_a_page_twice_is_a_page_once(agency: Agency) -> None:
    for size in (3, 120):
        records = [fan(f"{size}{i:03}") for i in range(size)]
        assert await _apply(agency, records) == FanPageResult(size, 0, 0)
        before = await _page(agency)
        assert await _apply(agency, [*records, records[0]], NOW + 5) == FanPageResult(0, 0, size)
        assert await _page(agency) == before


async def test_only_what_changed_is_written_and_ids_stay(agency: Agency) -> None:
    await _apply(agency, [fan(str(i)) for i in range(200)])
    ids = [row.facts.fan_account_id for row in await _page(agency)]
    changed = [fan(str(i), total_cents=i + 1) if i % 2 else fan(str(i)) for i in range(200)]
    assert await _apply(agency, changed) == FanPageResult(0, 100, 100)
    page = await _page(agency)
    assert [row.facts.fan_account_id for row in page] == ids
    assert sorted(row.facts.total_cents or 0 for row in page)[-1] == 200
    assert [row.paid for row in page].count(True) == 100


async def test_the_last_of_two_records_in_a_page_counts(agency: Agency) -> None:
    assert await _apply(agency, [fan("1", total_cents=1), fan("1", total_cents=2)]) == FanPageResult(1, 0, 0)
    (only,) = await _page(agency)
    assert only.facts.total_cents == 2


async def test_a_known_name_is_never_forgotten(agency: Agency) -> None:
    await _apply(agency, [fan("1", username="anna")])
    await _apply(agency, [fan("1", username=None)])
    assert await _find(agency, "ann") == ["1"]
    await _apply(agency, [fan("1", username="zora", alias="The Ann")])
    assert await _find(agency, "anna") == []
    assert await _find(agency, "ZOR") == ["1"]
    assert await _find(agency, "the a") == ["1"]


async def test_first_sight_and_expiry_wait_for_a_scoring(agency: Agency) -> None:
    await _apply(agency, [fan("1"), fan("2", subscribed=False, expired_now=True)])
    first, second = await _page(agency)
    assert (first.first_sight_pending, first.expiry_pending) == (True, False)
    assert (second.first_sight_pending, second.expiry_pending) == (True, False)
    ids = [first.facts.fan_account_id, second.facts.fan_account_id]
    await agency.store.write(lambda tx: fans.clear_pending(tx, ids, []))
    gone = fan("1", subscribed=False, expired_now=True, expires_at=NOW)
    await _apply(agency, [gone, fan("2", subscribed=False, expired_now=True, total_cents=5)], NOW + DAY)
    first, second = await _page(agency)
    assert (first.first_sight_pending, first.expiry_pending, first.facts.status) == (False, True, "expired")
    assert second.expiry_pending is False
    await _apply(agency, [fan("1", expires_at=NOW + 40 * DAY)], NOW + 2 * DAY)
    assert (await _page(agency))[0].expiry_pending is False


async def test_an_end_that_comes_while_a_first_sight_is_decided_waits_for_its_own_decision(
    agency: Agency,
) -> None:
    await _apply(agency, [fan("1")])
    (only,) = await _page(agency)
    await _apply(agency, [fan("1", subscribed=False, expired_now=True, expires_at=NOW)], NOW + DAY)
    await agency.store.write(lambda tx: fans.clear_pending(tx, [only.facts.fan_account_id], []))
    (only,) = await _page(agency)
    assert (only.first_sight_pending, only.expiry_pending) == (False, True)


async def test_hostile_names_are_kept_and_found(agency: Agency) -> None:
    names = [
        "100%",
        "a_b",
        "axb",
        "'; DROP TABLE fans;--",
        "nul\0byte",
        "ＦＵＬＬ",
        "half\ud800",
        "x" * 5_000,
    ]
    await _apply(agency, [fan(f"p{i}", username=name, total_cents=i) for i, name in enumerate(names)])
    assert await _find(agency, "a_") == ["p1"]
    assert await _find(agency, "100%") == ["p0"]
    assert await _find(agency, "%") == []
    assert await _find(agency, "'; drop") == ["p3"]
    assert await _find(agency, "nulb") == ["p4"]
    assert await _find(agency, "ｆｕ") == ["p5"]
    assert await _find(agency, "half") == ["p6"]
    assert await _find(agency, "x" * 200) == ["p7"]
    # By id, most money first.
    assert (await _find(agency, "p"))[:3] == ["p7", "p6", "p5"]


async def test_lookups_stay_among_the_creators_given(agency: Agency) -> None:
    await _apply(agency, [fan("7", username="seven", total_cents=700, alias="Lucky")])
    async with agency.store.read() as tx:
        (found,) = await fan_search.find_exact(tx, {agency.ava, agency.bea}, "SEVEN")
        assert (found.creator_name, found.total_cents, found.churn_risk) == ("Ava", 700, None)
        for text in ("7", "lucky"):
            assert await fan_search.find_exact(tx, {agency.ava}, text) == [found]
        assert await fan_search.find_choice(tx, {agency.ava}, found.fan_account_id) == found
        assert await fan_search.top_by_money(tx, {agency.ava}, 5) == [found]
        profile = await fan_search.get_profile(tx, {agency.ava}, found.fan_account_id, NOW)
        assert profile is not None
        assert (profile.status, profile.total_cents, profile.open_tier) == ("active", 700, None)
        others = {agency.bea}
        assert await fan_search.find_exact(tx, others, "seven") == []
        assert await fan_search.search_names(tx, others, "se", 25) == []
        assert await fan_search.top_by_money(tx, others, 5) == []
        assert await fan_search.find_choice(tx, others, found.fan_account_id) is None
        assert await fan_search.get_profile(tx, others, found.fan_account_id, NOW) is None


async def test_counts_and_ids(agency: Agency) -> None:
    await _apply(agency, [fan("1", total_cents=None), fan("2", total_cents=5), fan("3", total_cents=9)])
    async with agency.store.read() as tx:
        assert await fans.count(tx, agency.ava) == 3
        assert set(await fans.ids_by_platform(tx, agency.ava, ["1", "3", "x"])) == {"1", "3"}
