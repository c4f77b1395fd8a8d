"""/report: the days of the sample agency as leads and managers read them."""

from __future__ import annotations

import asyncio
import struct

import aiohttp
import pytest

from tests.e2e.harness import Json, Reply
from tests.e2e.office import DAY_S, Office, only, sentence
from tests.e2e.reading import components, is_private, text_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADVANCE_S = 3 * DAY_S
HOME = "fanwatch-notices"
NO_CREATOR = "No creator by that name among yours."


async def report(
    office: Office, person: str, what: str = "daily", options: Json | None = None, *, channel: str = HOME
) -> Reply:
    return office._in_time(
        await office.box.slash(person, channel, f"report {what}", options or {}, forge=True, wait_ms=20_000)
    )


async def picture(message: Json) -> tuple[bytes, str]:
    """The one picture of a message, as Discord serves it, and what the message says of it."""
    (shown,) = [item for part in components(message) for item in part.get("items") or ()]
    async with aiohttp.ClientSession() as http, http.get(shown["media"]["url"]) as answer:
        assert answer.status == 200
        return await answer.read(), str(shown["description"])


def title(message: Json) -> str:
    return text_of(message).strip().split("\n")[0]


def kept(office: Office, name: str) -> list[tuple[str, int, int | None]]:
    """(day, revenue in cents, active fans) of every kept day of a creator, oldest first."""
    return office.rows(
        "SELECT day, subscriptions_cents + messages_cents + tips_cents + posts_cents + streams_cents + other_cents"
        " + chargebacks_cents, active_fans FROM creator_daily WHERE creator_id = ? ORDER BY day",
        office.creator_id(name),
    )


async def test_a_lead_reads_yesterday_with_a_chart_that_is_also_told_in_words(office: Office) -> None:
    day, cents, active = kept(office, "luna")[-1]
    message = only(await report(office, "Lea", options={"creator": "luna"}))
    text = text_of(message)
    assert title(message).startswith("### luna · ")
    assert title(message).endswith(f"{int(day[-2:])} {_month(day)} {day[:4]}")
    assert f"**Revenue ${(cents + 50) // 100:,}**" in text
    assert f"**Active fans {active:,}**" in text
    assert "Days are those of " in text
    data, told = await picture(message)
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", data[16:24]) == (1_000, 750)
    assert 10_000 < len(data) < 300_000
    assert told.startswith("Revenue a day by kind and active fans, ")
    assert "30 days are known" in told
    assert f"{active:,} on " in told


def _month(day: str) -> str:
    names = "January February March April May June July August September October November December"
    return names.split()[int(day[5:7]) - 1]


async def test_the_days_hold_every_payment_of_their_creator(office: Office) -> None:
    for name in ("luna", "mira", "zoe"):
        days = kept(office, name)
        (first,) = office.rows(
            "SELECT MIN(starts_at), MAX(ends_at) FROM creator_daily WHERE creator_id = ?",
            office.creator_id(name),
        )
        paid = office.rows(
            "SELECT SUM(amount_cents) FROM transactions WHERE creator_id = ? AND counted"
            " AND occurred_at >= ? AND occurred_at < ?",
            office.creator_id(name),
            *first,
        )[0][0]
        assert sum(cents for _, cents, _ in days) == paid
        # Before her fans were first seen nobody knows who was active.
        ends = office.rows(
            "SELECT ends_at >= (SELECT MIN(finished_at) FROM score_runs s WHERE s.creator_id = d.creator_id)"
            " FROM creator_daily d WHERE creator_id = ? ORDER BY day",
            office.creator_id(name),
        )
        assert [active is not None for _, _, active in days] == [bool(seen) for (seen,) in ends]
        assert 3 <= sum(bool(seen) for (seen,) in ends) <= 4


async def test_the_channels_creator_is_meant_and_elsewhere_all_of_them_with_a_sum(office: Office) -> None:
    here = only(await report(office, "Lea", channel="zoe"))
    assert title(here).startswith("### zoe · ")
    everywhere = only(await report(office, "Lea"))
    assert title(everywhere).startswith("### All your creators · ")
    text = text_of(everywhere)
    total = sum(kept(office, name)[-1][1] for name in ("luna", "mira", "zoe"))
    assert f"**Revenue ${(total + 50) // 100:,}**" in text
    for name in ("luna", "mira", "zoe"):
        assert f"**{name}** $" in text


async def test_a_day_can_be_named_and_one_that_is_not_there_is_said_to_be_so(office: Office) -> None:
    days = kept(office, "luna")
    message = only(await report(office, "Lea", options={"creator": "luna", "day": days[-2][0]}))
    assert f"**Revenue ${(days[-2][1] + 50) // 100:,}**" in text_of(message)
    today = only(await report(office, "Lea", options={"creator": "luna", "day": "today"}))
    assert "This day is still running" in text_of(today)
    old = sentence(await report(office, "Lea", options={"creator": "luna", "day": "2001-01-01"}))
    assert old.startswith("Nothing is known of Monday 1 January 2001; complete days are there from ")
    for typed in ("2099-01-01", "whenever", "tomorrow", "9" * 100):
        said = sentence(await report(office, "Lea", options={"creator": "luna", "day": typed}))
        assert said == "That is no day up to today; write yesterday, Sunday, 1 March or 2026-03-01."


async def test_days_are_offered_to_leads_alone(office: Office) -> None:
    async def offered(person: str, typed: str) -> list[Json]:
        raw = await office.box.autocomplete(person, "luna", "report daily", {"day": typed}, "day", forge=True)
        assert raw["error"] is None
        return list(raw["choices"])

    names = [one["name"] for one in await offered("Lea", "")]
    assert names[0].startswith("Today, ")
    assert names[1].startswith("Yesterday, ")
    assert [one["value"] for one in await offered("Lea", "yester")] == [kept(office, "luna")[-1][0]]
    assert await offered("Ana", "") == []


async def test_who_may_not_see_it_is_refused_in_the_usual_words(office: Office) -> None:
    for what, person, role in (
        ("daily", "Ana", "This needs the lead role or higher."),
        ("daily", "Nia", "This needs the chatter role or higher."),
        ("credits", "Lea", "This needs the manager role or higher."),
    ):
        assert sentence(await report(office, person, what)) == role
    assert sentence(await report(office, "Lea", options={"creator": "nobody"})) == NO_CREATOR


async def test_credits_are_private_sentences_with_what_is_left(office: Office) -> None:
    (message,) = (await report(office, "Max", "credits")).messages
    assert is_private(message)
    text = text_of(message)
    assert message["embeds"][0]["title"].startswith("Credits · ")
    assert "The budgets of all watched creators allow 255 credits a day." in text
    assert "The data API says that " in text
    for typed in ("2099-01", "someday", "13"):
        said = sentence(await report(office, "Max", "credits", {"month": typed}))
        assert said == "That is no month up to this one; write March, last month or 2026-03."


async def test_many_ask_at_once_and_all_are_answered(office: Office) -> None:
    before = await office.box.newest_request()
    replies = await asyncio.gather(
        *(report(office, "Max", options={"creator": name}) for name in ("luna", "mira", "zoe", "luna"))
    )
    for reply in replies:
        assert (await picture(only(reply)))[0].startswith(b"\x89PNG")
    assert await office.box.newest_request() > before


async def test_a_restart_changes_no_day(office: Office) -> None:
    before = office.rows("SELECT * FROM creator_daily ORDER BY creator_id, day")
    await office.box.bot("kill")
    await office.box.bot("start")
    await office.box.until("connected", lambda state: bool(state["bot"]["connected"]))
    await office.box.settled()
    assert office.rows("SELECT * FROM creator_daily ORDER BY creator_id, day") == before
