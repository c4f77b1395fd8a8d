"""Days of the sample agency with webhooks, duplicates, swapped and forged ones among them: what is on record is what
happened.
"""

from __future__ import annotations

from pathlib import Path

from tests.e2e import ledger
from tests.e2e.living import living
from tests.e2e.truth import differences, made_up, some_days


async def test_every_event_of_a_subscription_is_on_record_at_its_instant(tmp_path: Path) -> None:
    async with living(tmp_path, webhooks=True) as life:
        certain = await some_days(life, 9)
        assert differences(life, certain, walked=False) == []
        assert made_up(life, certain) == []
        query = "SELECT COUNT(*) FROM subscription_events WHERE source = 'webhook'"
        assert ledger.rows(life.database, query)[0][0] > 20
