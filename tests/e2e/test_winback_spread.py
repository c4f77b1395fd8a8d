"""Four hundred winback candidates on day one: the lead spreads those with most of the money, the rest refill."""

from __future__ import annotations

import csv
import random
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from tests.e2e.harness import sandbox
from tests.e2e.office import Office, button, only, sentence
from tests.e2e.openapi import SPEC, Contract
from tests.e2e.reading import text_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

FANS = 420
NOTICES = "fanwatch-notices"


def write_history(path: Path) -> None:
    """420 fans of three creators who bought once or twice and whose period ended before the start, and one who stays.

    The replay starts after two thirds of the file's 120 days. A period without a second purchase ends after 30 days.
    """
    rng = random.Random(7)
    first = datetime(2026, 1, 1, tzinfo=UTC)
    rows: list[tuple[datetime, str, int, int]] = []
    for number in range(FANS):
        creator = ("luna", "mira", "zoe")[number % 3]
        at = first + timedelta(days=1 + rng.random() * 40)
        rows.append((at, creator, 1000 + number, max(100, int(rng.lognormvariate(8, 1.6)))))
    rows += [(first + timedelta(days=day), "luna", 999, 500) for day in range(0, 121, 5)]
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(("creator", "fan", "at", "amount_cents"))
        for at, creator, fan, cents in sorted(rows):
            out.writerow((creator, fan, at.strftime("%Y-%m-%dT%H:%M:%SZ"), cents))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def agency(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    folder = tmp_path_factory.mktemp("winbacks")
    write_history(folder / "history.csv")
    async with sandbox(folder / "data", history=folder / "history.csv", model="reference") as box:
        yield await Office.of(box)
        if SPEC.exists():
            contract = Contract.load()
            assert {text for line in await box.requests() for text in contract.problems(line)} == set()


def open_by_person(office: Office) -> dict[str, int]:
    names = {user_id: name for name, user_id in office.people.items()}
    rows = office.rows("SELECT assignee_id, COUNT(*) FROM winbacks WHERE state = 'open' GROUP BY assignee_id")
    return {names[str(user_id)]: count for user_id, count in rows}


async def test_a_lead_spreads_most_of_the_money_in_two_steps_and_the_rest_refill(agency: Office) -> None:
    office = agency
    shown = only(await office.box.slash("Lea", NOTICES, "winback candidates"))
    told = re.search(
        r"\*\*(\d+) candidates\*\* hold \$[\d,]+ a month; the first (\d+) hold (\d+) % of it", text_of(shown)
    )
    assert told is not None, text_of(shown)
    total, first, share = map(int, told.groups())
    assert total == FANS
    assert share >= 60
    assert first < FANS / 3

    # Step one: the button below the list. Step two: its form, which proposes the numbers.
    spread = button(shown, f"Spread the first {first}")
    opened = await office.press("Lea", NOTICES, shown, spread)
    assert opened.modal is not None
    fields = {"people": [office.roles["Chatter"]]}
    custom_id, opener = opened.modal["custom_id"], str(opened.interaction)
    done = only(await office.box.submit("Lea", NOTICES, custom_id, opener, fields))
    text = text_of(done)
    assert "Handed out 20 winbacks to 2 people" in text, text
    assert f"{first - 20} more wait and follow as these are done" in text
    assert open_by_person(office) == {"Ana": 10, "Ben": 10}

    # The same form once more changes nothing.
    again = only(await office.box.submit("Lea", NOTICES, custom_id, opener, fields, forge=True))
    assert "handed out already" in text_of(again)
    assert open_by_person(office) == {"Ana": 10, "Ben": 10}
    left = only(await office.box.slash("Lea", NOTICES, "winback candidates"))
    assert f"**{FANS - 20} candidates**" in text_of(left)

    # Whoever closes one gets the next: the largest that nobody has, of a creator the person sees.
    best = office.rows(
        "SELECT f.username FROM fan_accounts f JOIN creators c ON c.id = f.creator_id WHERE c.name IN ('luna', 'mira')"
        " AND f.username != 'fan_999' AND f.id NOT IN (SELECT fan_account_id FROM winbacks)"
        " ORDER BY f.total_cents DESC LIMIT 1"
    )[0][0]
    mine = only(await office.box.slash("Ana", "luna", "my"))
    assert "0 claims, 10 winbacks" in text_of(mine)
    one = next(word for word in text_of(mine).split("**") if word.startswith("fan_"))
    closed = only(await office.box.slash("Ana", "luna", "winback done", {"fan": one, "outcome": "kept"}))
    assert f"Next from the same spread, for <@{office.people['Ana']}>: **{best}**" in text_of(closed)
    assert open_by_person(office) == {"Ana": 10, "Ben": 10}

    # Undo brings the first back and takes the next away again.
    undone = await office.press("Ana", "luna", closed, button(closed, "Undo"))
    assert f"{one}** is open again, and **{best}** waits as before" in text_of(only(undone))
    assert open_by_person(office) == {"Ana": 10, "Ben": 10}

    # The lead takes the spread back; a second press says so.
    back = await office.press("Lea", NOTICES, done, button(done, "Undo"))
    assert "20 winbacks are taken back" in text_of(only(back))
    assert open_by_person(office) == {}
    twice = await office.press("Lea", NOTICES, done, button(done, "Undo"), forge=True)
    assert "undone already" in sentence(twice)
    assert f"**{FANS} candidates**" in text_of(
        only(await office.box.slash("Lea", NOTICES, "winback candidates"))
    )
