"""Files into a creator's history: what is kept, what is refused, and that half a file is never half applied."""

from __future__ import annotations

import csv

import pytest

from storage import fans, roster, transactions
from storage.tables import audit_log, creators, fan_accounts, import_runs, notes
from storage.tables import transactions as payments
from tests.bot.cli.conftest import Importer
from tests.storage.conftest import DAY, NOW
from tests.storage.records import fan, payment

HEADER = "id,fan_id,username,kind,amount,at\n"
TWO = (
    HEADER
    + 't1,7,gus,tip,12.50,2026-02-01T10:00:00Z\nt2,8,hal,message,"1,234.50",2026-02-01T11:00:00+01:00\n'
)


async def test_payments_become_what_the_data_api_would_have_made_of_them(importer: Importer) -> None:
    assert await importer.run(TWO) == 0
    assert "2 new, 0 known, 0 changed; fans seen for the first time: 2" in importer.out
    assert await importer.rows(
        payments, "platform_transaction_id", "kind", "amount_cents", "occurred_at"
    ) == [
        ("t1", "tip", 1_250, 1_769_940_000_000),
        ("t2", "message", 123_450, 1_769_940_000_000),
    ]
    assert await importer.rows(fan_accounts, "platform_fan_id", "username", "purchase_count", "paid") == [
        ("7", "gus", 1, True),
        ("8", "hal", 1, True),
    ]


async def test_a_finished_file_is_not_imported_again_unless_asked(importer: Importer) -> None:
    await importer.run(TWO)
    assert await importer.run(TWO) == 0
    assert "imported already" in importer.out
    assert await importer.run(TWO, again=True) == 0
    assert "0 new, 2 known, 0 changed" in importer.out


async def test_payments_the_api_has_brought_are_known_by_their_id(importer: Importer) -> None:
    ava = importer.agency.ava
    brought = payment("t1", "7", amount_cents=1_250, status="done")
    await importer.store.write(lambda tx: transactions.apply_transactions(tx, ava, [brought], NOW))
    assert await importer.run(TWO) == 0
    assert "1 new, 1 known, 0 changed" in importer.out
    assert await importer.rows(payments, "platform_transaction_id", "status") == [
        ("t1", "done"),
        ("t2", None),
    ]


async def test_equal_payments_without_an_id_stay_as_many_as_they_are(importer: Importer) -> None:
    row = "7,5.00,2026-02-01T10:00:00Z\n"
    assert await importer.run("fan_id,amount,at\n" + row * 2) == 0
    assert "2 new" in importer.out
    # A longer export of the same payments brings only what is new.
    assert await importer.run("fan_id,amount,at\n" + row * 3) == 0
    assert "1 new, 2 known" in importer.out
    assert len(await importer.rows(payments, "id")) == 3


async def test_a_payment_without_an_id_that_the_api_has_shown_is_not_counted_twice(
    importer: Importer,
) -> None:
    ava = importer.agency.ava
    brought = payment("t1", "7", amount_cents=500, occurred_at=NOW - DAY)
    await importer.store.write(lambda tx: transactions.apply_transactions(tx, ava, [brought], NOW))
    row = "7,5.00,2026-03-01T08:00:00Z\n"
    assert await importer.run("fan_id,amount,at\n" + row * 2) == 0
    assert "1 new, 1 known" in importer.out


async def test_one_refused_row_keeps_all_out_and_is_explained(importer: Importer) -> None:
    bad = TWO + 't3,9,ida,tip,"1.234,50",2026-02-01T10:00:00Z\n=cmd|x,9,ida,tip,1,yesterday\n'
    assert await importer.run(bad) == 1
    assert "2 of 4 rows are refused" in importer.out
    assert "1 x amount: is no amount such as 1234.50" in importer.out
    assert await importer.rows(payments, "id") == []
    refused = list(
        csv.reader((importer.folder / "file.csv.rejects.csv").read_text(encoding="utf-8").splitlines())
    )
    assert refused[0] == ["line", "reason", "id", "fan_id", "username", "kind", "amount", "at"]
    assert [row[0] for row in refused[1:]] == ["4", "5"]
    assert refused[1][2:] == ["t3", "9", "ida", "tip", "1.234,50", "2026-02-01T10:00:00Z"]
    assert refused[2][2] == "'=cmd|x"


async def test_the_good_rows_come_in_where_that_is_asked_for(importer: Importer) -> None:
    target = importer.folder / "why.csv"
    bad = TWO + "t3,9,ida,tip,much,2026-02-01T10:00:00Z\n"
    assert await importer.run(bad, skip_rejects=True, rejects=target) == 0
    assert "2 new, 0 known, 0 changed" in importer.out
    assert "1 refused" in importer.out
    assert target.exists()


async def test_a_dry_run_says_what_would_be_and_changes_nothing(importer: Importer) -> None:
    assert await importer.run(TWO, dry_run=True, batch=1) == 0
    assert "2 new, 0 known, 0 changed; fans seen for the first time: 2" in importer.out
    for table in (payments, fan_accounts, import_runs):
        assert await importer.rows(table, "id") == []


async def test_columns_of_another_name_are_mapped(importer: Importer) -> None:
    theirs = "Buyer;When;Cents;Creator\n7;2026-02-01 10:00;500;ava\n8;2026-02-01 10:00;500;Bea\n"
    mapping = ("fan_id=buyer", "at=When", "amount_cents=Cents")
    assert await importer.run(theirs, mapping=mapping, zone="europe/paris") == 0
    assert "1 of 2 rows are of other creators" in importer.err
    assert await importer.rows(payments, "amount_cents", "occurred_at") == [(500, 1_769_936_400_000)]


async def test_a_baseline_without_pings_follows(importer: Importer) -> None:
    async def done(tx: object) -> None:
        from sqlalchemy import update

        await tx.execute(  # type: ignore[attr-defined]
            update(creators)
            .where(creators.c.agency_id == tx.agency_id)  # type: ignore[attr-defined]
            .values(baseline_done_at=NOW, next_poll_at=NOW * 2)
        )

    await importer.store.write(done)
    assert await importer.run(TWO) == 0
    async with importer.store.read() as tx:
        found = {creator.name: creator for creator in await roster.list_creators(tx)}
    assert (found["Ava"].baseline_done_at, found["Ava"].baseline_cause) == (None, "import")
    assert found["Ava"].next_poll_at < NOW * 2
    assert (found["Bea"].baseline_done_at, found["Bea"].baseline_cause) == (NOW, None)


async def test_fans_are_filled_in_and_what_the_api_said_stays(importer: Importer) -> None:
    seen = fan("7", username="gus", name=None, total_cents=900)
    ava = importer.agency.ava
    await importer.store.write(lambda tx: fans.apply_fan_page(tx, ava, [seen], NOW, 1))
    text = "id,username,name,total,subscribed\n7,other,Gustav,5.00,no\n8,hal,Hal,10,yes\n"
    assert await importer.run(text, "fans") == 0
    assert "1 new, 0 known, 1 changed" in importer.out
    columns = ("platform_fan_id", "username", "name", "total_cents", "subscribed")
    assert await importer.rows(fan_accounts, *columns) == [
        ("7", "gus", "Gustav", 900, True),
        ("8", "hal", "Hal", 1_000, True),
    ]
    # What only a file has said, another file may correct.
    assert await importer.run("id,name\n8,Harald\n", "fans") == 0
    assert "0 new, 0 known, 1 changed" in importer.out


async def test_notes_come_with_their_author_and_once(importer: Importer) -> None:
    text = 'fan_id,text,author_id,at\n7,"likes\nboats",302000000000000001,2025-12-01T10:00:00Z\n'
    assert await importer.run(text, "notes") == 0
    assert await importer.run(text, "notes", again=True) == 0
    assert "0 new, 1 known" in importer.out
    assert await importer.rows(notes, "text", "author_id", "source", "created_at") == [
        ("likes\nboats", 302_000_000_000_000_001, "command", 1_764_583_200_000)
    ]
    assert await importer.rows(audit_log, "actor_id", "action") == [(302_000_000_000_000_001, "import_note")]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "it is empty"),
        (b"id,fan_id\n1,2\n", "has no column amount or amount_cents"),
        (HEADER.encode(), "it has no rows"),
        (HEADER.encode() + b"t1,7,\xff,tip,1,2026-02-01T10:00:00Z\n", "line 2 is not UTF-8 text"),
        ("fan_id,amount,at\n".encode("utf-16"), "it is UTF-16 text"),
        (HEADER.encode() + b"x" * 1_000_001, "line 2 is longer than 1,000,000 bytes"),
        (b"fan_id,fan_id,amount,at\n", "it has the column 'fan_id' twice"),
        (b'[{"fan_id": 7, "amount"', "number 1 of the array is not JSON"),
        (b"[7]", "number 1 of the array is no object"),
        (b"[" * 100_000, "number 1 of the array is no object"),
    ],
)
async def test_a_file_that_is_none_is_refused_in_one_line(
    importer: Importer, content: bytes, says: str
) -> None:
    assert await importer.run(importer.write(content)) == 2
    assert says in importer.err
    assert "\n" not in importer.err.strip().splitlines()[-1]
    assert await importer.rows(import_runs, "id") == []


async def test_a_folder_and_a_missing_file_are_no_files(importer: Importer) -> None:
    assert await importer.run(importer.folder) == 2
    assert "it is a folder" in importer.err
    assert await importer.run(importer.folder / "nowhere.csv") == 2
    assert "cannot be read" in importer.err


async def test_a_creator_nobody_has_is_told_with_those_there_are(importer: Importer) -> None:
    assert await importer.run(TWO, creator="Cleo") == 2
    assert "--creator: there is no creator 'Cleo'; there is 'Ava', 'Bea'" in importer.err
