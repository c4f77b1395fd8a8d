"""What the bot has written down about the sample agency, set against what happened there.

docs/sync.md, "Where each event comes from", says what the API does not show; that much is excused here, and no more.
"""

from __future__ import annotations

from collections import defaultdict

from bot.domain.models import MS_PER_DAY, MS_PER_HOUR
from bot.sandbox.agency.model import Creator, Fan
from tests.e2e import ledger
from tests.e2e.living import Living

Key = tuple[str, int]
Told = tuple[str, int]
"""What happened, and when."""
ROUND_MS = 7 * MS_PER_DAY
LISTED = 2
"""How many periods of a fan the API lists."""
EVENTS = (
    *("subscribed", "rebilled", "cancelled", "expired", "resubscribed"),
    *("trial_started", "trial_converted"),
)
BEGINNINGS = ("subscribed", "resubscribed", "trial_started", "rebilled")


def recorded(life: Living) -> dict[Key, list[Told]]:
    """By creator and fan, what is on record, in order of time."""
    found: defaultdict[Key, list[Told]] = defaultdict(list)
    query = (
        "SELECT c.name, f.platform_fan_id, e.event, e.occurred_at FROM subscription_events e"
        " JOIN fan_accounts f ON f.id = e.fan_account_id JOIN creators c ON c.id = e.creator_id"
        " ORDER BY e.occurred_at, e.id"
    )
    for name, fan, event, at in ledger.rows(life.database, query):
        found[f"acct_{name}", int(fan)].append((event, at))
    return found


def happened(life: Living) -> dict[Key, list[Told]]:
    """By creator and fan, what the agency knows, in order of time."""
    found: defaultdict[Key, list[Told]] = defaultdict(list)
    for one in life.agency.subscription_truth():
        found[one.account_id, one.fan_id].append((one.event, one.at))
    return found


def fans(life: Living) -> dict[Key, tuple[Creator, Fan]]:
    return {
        (one.account_id, fan.id): (one, fan) for one in life.agency.creators for fan in one.by_id.values()
    }


def certain_since(life: Living) -> dict[Key, int]:
    """By creator and fan, since when the API tells all: it lists two periods, of which the first may be anything where
    there were others. Asked at the first look.
    """
    return {
        key: 0 if len(fan.periods) <= LISTED else fan.periods[-LISTED].starts_at + 1
        for key, (_, fan) in fans(life).items()
    }


def differences(life: Living, certain: dict[Key, int], *, walked: bool = True) -> list[str]:
    """What is missing on record and what is there too much, of fans who come with details.

    `certain`: since when. `walked` False: before the next walk nobody sees that one who never paid switched rebill off,
    and that a payer did may be seen a week later (docs/sync.md, "How late each kind of change is seen").
    """
    found, wanted = recorded(life), happened(life)
    lines = []
    for key, (_, fan) in fans(life).items():
        at = certain.get(key, 0)
        have, want = ([one for one in told.get(key, []) if one[1] >= at] for told in (found, wanted))
        if not walked and fan.total_cents == 0:
            have, want = ([one for one in told if one[0] != "cancelled"] for told in (have, want))
        if not walked:
            since = life.clock.now - ROUND_MS
            want = [one for one in want if one[0] != "cancelled" or one[1] <= since or one in have]
        if fan.detailed:
            lines += [f"missing {key} {one}" for one in want if one not in have]
            lines += [f"too much {key} {one}" for one in have if one not in want]
            lines += [f"twice {key} {one}" for one in set(have) if have.count(one) > 1]
    return lines


def made_up(life: Living, certain: dict[Key, int]) -> list[str]:
    """What is on record of the rest without anything like it having happened.

    Before the first look what is written as his first subscription may have been a return or, where no money tells of
    earlier periods, a rebill. Of a fan without details only that
    he expired shows, by a look that may be as late as a walk.
    """
    wanted = happened(life)
    lines = []
    people = fans(life)
    for key, told in recorded(life).items():
        true = wanted[key]
        for event, at in told:
            if not people[key][1].detailed:
                fine = event == "expired" and any(
                    e == event and at - 31 * MS_PER_DAY <= t <= at for e, t in true
                )
            elif at < certain.get(key, 0):
                fine = event == "subscribed" and any(t == at and e in BEGINNINGS for e, t in true)
            else:
                continue
            if not fine:
                lines.append(f"{key} {event} {at}")
    return lines


async def some_days(life: Living, days: int) -> dict[Key, int]:
    """Hourly while something is planned for the planted people, then day by day; gives `certain_since`."""
    certain = certain_since(life)
    await life.work()
    await life.live(MS_PER_HOUR, 16)
    await life.live(8 * MS_PER_HOUR)
    await life.live(MS_PER_DAY, days - 1)
    return certain
