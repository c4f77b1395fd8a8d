"""A scoring run on real storage: who gets an episode, on which card it goes, and what an interrupted run leaves."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain.grouping import whale_threshold
from bot.jobs import scoring as scoring_module
from storage import whales
from storage.tables import cards, creator_leads, creators, fan_accounts, score_runs, scores
from tests.bot.jobs.desk import NINE_DAYS, Breaks, Desk, calm, ended, leaving
from tests.storage.conftest import DAY, NOW
from tests.storage.records import payment

HOUR = DAY // 24


async def _versions(desk: Desk) -> list[int]:
    return [row["wanted_version"] for row in await desk.cards("a", "g")]


async def test_a_first_import_opens_in_silence_and_makes_one_card(desk: Desk) -> None:
    quiet = [calm(n, last_seen_at=NOW - 20 * DAY) for n in range(7)]
    await desk.start([*quiet, leaving(8, last_seen_at=NOW - 20 * DAY, expires_at=NOW + DAY), calm(9)])

    (card,) = await desk.cards()
    assert (card["kind"], card["ping_wanted"]) == ("s", False)
    assert card["payload"] == '{"at_risk":8,"action":1,"fans":9}'
    found = await desk.episodes()
    assert len(found) == 8
    assert {row["baseline"] for row in found.values()} == {True}
    assert all(row["card_id"] is None and not row["ping_wanted"] for row in found.values())
    assert all(row["last_pinged_at"] is None for row in await desk.rows(fan_accounts))


@pytest.mark.parametrize(("flags", "kinds"), [(5, ["a"] * 5), (6, ["g"])])
async def test_more_than_five_new_flags_of_a_run_share_a_card(
    desk: Desk, flags: int, kinds: list[str]
) -> None:
    await desk.start([calm(n) for n in range(flags)])

    await desk.score(NINE_DAYS)

    made = await desk.cards("a", "g")
    assert [card["kind"] for card in made] == kinds
    assert not any(card["ping_wanted"] or card["mention_id"] for card in made)
    assert {row["card_id"] for row in (await desk.episodes()).values()} == {card["id"] for card in made}


@pytest.mark.parametrize(
    ("kept", "owner"),
    [("chatter", ("user", 301)), ("lead", ("user", 302)), ("role", ("role", 201))],
)
async def test_an_action_item_has_an_owner_and_pings(desk: Desk, kept: str, owner: tuple[str, int]) -> None:
    ava = desk.agency.ava
    if kept != "chatter":
        await desk.set_creator(ava, default_chatter_id=None)
    if kept == "role":
        await desk.change(
            lambda tx: tx.execute(creator_leads.delete().where(creator_leads.c.agency_id == tx.agency_id))
        )
    await desk.start([leaving(1)])

    await desk.score(NINE_DAYS)

    (card,) = await desk.cards("a")
    episode = (await desk.episodes())["1"]
    assert (episode["tier"], episode["owner_kind"], episode["owner_id"]) == ("action", *owner)
    assert (card["mention_kind"], card["mention_id"]) == owner
    assert card["ping_wanted"]
    assert [row["last_pinged_at"] for row in await desk.rows(fan_accounts)] == [NINE_DAYS]


async def test_a_whales_end_has_a_card_and_a_mention_of_its_own(desk: Desk) -> None:
    await desk.start([calm(1, total_cents=90_000), calm(2), calm(3)])
    over = [ended(1, total_cents=90_000), ended(2), ended(3)]
    await desk.keep(over, NOW + 2 * DAY)

    await desk.score(NOW + 2 * DAY)

    own, shared = sorted(await desk.cards("a", "g"), key=lambda card: str(card["kind"]))
    found = await desk.episodes()
    assert (own["kind"], own["mention_id"], own["ping_wanted"]) == ("a", 301, True)
    assert (shared["kind"], shared["code"], shared["payload"]) == (
        "g",
        "expired",
        '{"expired":true,"started_with":2}',
    )
    assert found["1"]["card_id"] == own["id"]
    assert {found["2"]["card_id"], found["3"]["card_id"]} == {shared["id"]}
    assert all(
        row["expired"] and row["tier"] == "action" and row["owner_id"] == 301 for row in found.values()
    )


@pytest.mark.parametrize("fans", [0, 1, 99, 250])
async def test_the_whales_are_those_of_the_rule(desk: Desk, fans: int) -> None:
    ava = desk.agency.ava
    totals = [n * 37 % 101 * 100 for n in range(fans)]
    await desk.keep([calm(n, total_cents=total) for n, total in enumerate(totals)])
    async with desk.store.read() as tx:
        assert await whales.read_threshold(tx, ava) == whale_threshold(totals)


async def test_an_end_is_said_once_and_not_of_those_who_came_expired(desk: Desk) -> None:
    await desk.start([calm(1), ended(2)])
    await desk.keep([ended(1)], NOW + 2 * DAY)

    for hour in range(3):
        await desk.score(NOW + 2 * DAY + hour)

    assert await desk.events("1") == ["expired"]
    assert await desk.events("2") == []


async def test_a_score_between_the_thresholds_keeps_the_episode_and_below_clears_it(desk: Desk) -> None:
    await desk.start([calm(1)])
    await desk.score(NINE_DAYS)
    # 53 points after a week of silence: below firing, above clearing.
    await desk.keep([calm(1, last_seen_at=NOW + 3 * DAY)], NOW + 10 * DAY)
    await desk.score(NOW + 10 * DAY)
    assert await desk.events("1") == ["opened"]

    await desk.keep([calm(1, last_seen_at=NOW + 11 * DAY)], NOW + 11 * DAY)
    await desk.score(NOW + 11 * DAY)

    assert await desk.events("1") == ["opened", "cleared"]
    assert (await desk.episodes())["1"]["closed_at"] == NOW + 11 * DAY


async def test_the_same_fan_within_two_weeks_reopens_her_card_silently(desk: Desk) -> None:
    await desk.start([calm(1)])
    await desk.score(NINE_DAYS)
    await desk.keep([calm(1, last_seen_at=NINE_DAYS + DAY)], NINE_DAYS + DAY)
    await desk.score(NINE_DAYS + DAY)
    (before,) = await desk.cards("a")

    await desk.score(NINE_DAYS + 10 * DAY)

    (card,) = await desk.cards("a")
    episode = (await desk.episodes())["1"]
    assert await desk.events("1") == ["opened", "cleared", "opened"]
    assert (episode["card_id"], episode["closed_at"], episode["tier"]) == (card["id"], None, "at_risk")
    assert card["id"] == before["id"]
    assert card["incarnation"] == 1
    assert not card["ping_wanted"]
    assert card["wanted_version"] > before["wanted_version"]


async def test_after_two_weeks_it_is_another_episode_on_another_card(desk: Desk) -> None:
    await desk.start([calm(1)])
    await desk.score(NINE_DAYS)
    back = NINE_DAYS + DAY
    await desk.keep([calm(1, last_seen_at=back)], back)
    await desk.score(back)
    await desk.keep([calm(1, last_seen_at=back + 10 * DAY)], back + 10 * DAY)
    await desk.score(back + 10 * DAY)

    await desk.score(back + 20 * DAY)

    assert len(await desk.cards("a")) == 2
    assert await desk.events("1") == ["opened", "cleared", "opened"]


@pytest.mark.parametrize(("later", "pings"), [(DAY - 1, False), (DAY, True)])
async def test_one_ping_per_fan_and_day_survives_a_recovery(desk: Desk, later: int, pings: bool) -> None:
    await desk.start([leaving(1)])
    await desk.score(NINE_DAYS)
    (card,) = await desk.cards("a")
    await desk.keep([leaving(1, rebill_off=None, last_seen_at=NINE_DAYS)], NINE_DAYS + 1)
    await desk.score(NINE_DAYS + 1)
    assert await desk.events("1") == ["opened", "cleared"]

    await desk.keep([ended(1)], NINE_DAYS + later)
    await desk.score(NINE_DAYS + later)

    assert await desk.events("1") == ["opened", "cleared", "expired"]
    (again,) = await desk.cards("a")
    assert again["id"] == card["id"]
    (account,) = await desk.rows(fan_accounts)
    assert account["last_pinged_at"] == (NINE_DAYS + later if pings else NINE_DAYS)


async def test_a_rise_of_the_tier_posts_the_card_again_with_a_ping(desk: Desk) -> None:
    await desk.start([calm(1)])
    await desk.score(NINE_DAYS)
    (flag,) = await desk.cards("a")
    await desk.keep([leaving(1)], NINE_DAYS + 1)

    await desk.score(NINE_DAYS + 1)

    (card,) = await desk.cards("a")
    assert await desk.events("1") == ["opened", "raised"]
    assert card["id"] == flag["id"]
    assert (card["ping_wanted"], card["mention_id"]) == (True, 301)
    # Nothing had been posted yet, so the first message is the one that pings.
    assert card["incarnation"] == 1


@pytest.mark.parametrize(("days", "moves"), [(10, False), (20, True)])
async def test_a_move_of_five_points_is_worth_an_edit(desk: Desk, days: int, moves: bool) -> None:
    # 64.4 points after nine days, 69 after ten, 70 from eleven on.
    await desk.start([calm(1)])
    await desk.score(NINE_DAYS)
    (before,) = await _versions(desk)

    await desk.score(NOW + days * DAY)

    assert await _versions(desk) == [before + moves]
    assert (await desk.episodes())["1"]["score"] == pytest.approx(69.0 if days == 10 else 70.0)


async def test_nothing_is_written_when_nothing_moved(desk: Desk) -> None:
    await desk.start([calm(1), leaving(2), calm(3, last_seen_at=NOW - 20 * DAY), ended(4)])
    await desk.pay(payment("t1", "1"), payment("t2", "3", occurred_at=NOW - 40 * DAY))
    await desk.score(NINE_DAYS)
    written = (scores, cards, fan_accounts, creators)
    before = [await desk.rows(table) for table in written]
    content = await desk.content(desk.agency.ava)

    await desk.score(NINE_DAYS)
    await desk.score(NINE_DAYS + 1)

    assert [await desk.rows(table) for table in written] == before
    assert await desk.content(desk.agency.ava) == content


def _some_fans() -> list[Any]:
    return [
        *(calm(n) for n in range(1, 7)),
        leaving(7),
        leaving(8),
        calm(9, total_cents=90_000),
        calm(10),
        calm(11, total_cents=0),
    ]


@pytest.mark.parametrize("at", range(1, 7))
async def test_a_run_that_dies_at_any_write_goes_on_to_the_same_result(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """The opening, four pages, the end; the second life is a day later and still scores the instant of the first."""
    monkeypatch.setattr(scoring_module, "PAGE_FANS", 3)
    ava, bea = desk.agency.ava, desk.agency.bea
    # The same owner for both, so that what they come to is the same.
    await desk.set_creator(bea, default_chatter_id=301)
    for creator_id in (ava, bea):
        await desk.start(_some_fans(), creator_id=creator_id)
        await desk.keep([ended(9, total_cents=90_000), ended(10)], NINE_DAYS, creator_id=creator_id)
    await desk.score(NINE_DAYS, creator_id=ava)

    with pytest.raises(ConnectionAbortedError):
        await desk.score(NINE_DAYS, creator_id=bea, store=Breaks(desk, at))
    await desk.score(NINE_DAYS + (DAY if at > 1 else 0), creator_id=bea)

    assert await desk.content(bea) == await desk.content(ava)
    made = [card["kind"] for card in await desk.cards("a", "g") if card["creator_id"] == bea]
    # Six new flags and the fan who never paid is none; two action items, the whale's end, the other end.
    assert sorted(made) == ["a", "a", "a", "g", "g"]


async def _given_up(desk: Desk, records: list[Any]) -> None:
    """A run of these at NINE_DAYS whose pages are kept and whose end is not; another run takes its place."""
    await desk.keep(records, NINE_DAYS)
    with pytest.raises(ConnectionAbortedError):
        await desk.score(NINE_DAYS, store=Breaks(desk, 3))
    assert await desk.cards("a", "g") == []
    await desk.change(
        lambda tx: tx.execute(
            score_runs.update()
            .where(score_runs.c.agency_id == tx.agency_id, score_runs.c.finished_at.is_(None))
            .values(finished_at=NINE_DAYS)
        )
    )


async def test_what_a_run_given_up_has_left_gets_its_card_and_its_mention_from_the_next(desk: Desk) -> None:
    await desk.start([leaving(1), leaving(2), leaving(3), calm(4), calm(5)])
    await _given_up(desk, [leaving(n) for n in (1, 2, 3)])
    later = NINE_DAYS + 7 * HOUR
    # The second is well again, the third's subscription has ended, and the fourth has been heard of.
    await desk.keep([calm(2, last_seen_at=later), ended(3), calm(4, last_seen_at=later)], later)
    await desk.score(later)

    found = await desk.episodes()
    assert (found["2"]["closed_at"], found["4"]["closed_at"]) == (later, later)
    made = {card["id"]: card for card in await desk.cards("a", "g")}
    assert {found[n]["card_id"] for n in "135"} == set(made)
    assert [made[found[n]["card_id"]]["ping_wanted"] for n in "135"] == [True, True, False]
    # Nobody had been called before, so the clock of their escalation begins now.
    assert (found["1"]["escalate_from_at"], found["1"]["placement"]) == (later, None)
    await desk.score(later + 1)
    assert len(await desk.cards("a", "g")) == 3


async def test_what_has_become_a_flag_since_its_run_was_given_up_is_shown_as_one(desk: Desk) -> None:
    await desk.start([leaving(1)])
    await _given_up(desk, [leaving(1)])
    await desk.keep([calm(1, rebill_off=False)], NINE_DAYS + 1)
    await desk.score(NINE_DAYS + 1)
    (card,) = await desk.cards("a")
    row = (await desk.episodes())["1"]
    assert (row["tier"], row["card_id"], card["ping_wanted"]) == ("at_risk", card["id"], False)


async def test_who_renews_leaves_the_list_of_ends_in_silence_and_the_next_end_is_news(desk: Desk) -> None:
    await desk.start([calm(1), calm(2), calm(3, total_cents=90_000, last_seen_at=NOW + 13 * DAY)])
    await desk.keep([ended(1), ended(2)], NOW + 2 * DAY)
    await desk.score(NOW + 2 * DAY)
    (shared,) = await desk.cards("g")
    before = (await desk.episodes())["1"]
    # Subscribed again, but gone silent and with rebill off: still an action item by the score.
    await desk.keep([leaving(1)], NINE_DAYS)
    await desk.score(NINE_DAYS)

    row = (await desk.episodes())["1"]
    (own,) = await desk.cards("a")
    assert (row["tier"], row["expired"], row["card_id"]) == ("action", False, own["id"])
    assert (own["ping_wanted"], own["mention_id"]) == (False, 301)
    kept = ("owner_id", "escalate_from_at", "escalation_stage")
    assert [row[name] for name in kept] == [before[name] for name in kept]
    assert (await desk.episodes())["2"]["card_id"] == shared["id"]
    assert (await desk.cards("g"))[0]["wanted_version"] > shared["wanted_version"]

    await desk.keep([ended(1, expires_at=NOW + 12 * DAY)], NOW + 13 * DAY)
    await desk.score(NOW + 13 * DAY)
    assert await desk.events("1") == ["expired", "raised", "expired"]
    assert [card["ping_wanted"] for card in await desk.cards("g")] == [True, True]
    assert (await desk.episodes())["1"]["card_id"] == (await desk.cards("g"))[1]["id"]
