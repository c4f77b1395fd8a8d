"""When an episode was open, who held it, and how long it waited, read from its events."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain.spells import Happening, Spell, spells

ANA, BEN = 1, 2
MINUTE = 60_000


def story(*events: tuple[str, int, dict[str, Any]], episode: int = 7) -> list[Happening]:
    """(change, minute, what differs); the tiers follow from the change where nothing else is said."""
    found: list[Happening] = []
    tier: str | None = None
    for number, (change, minute, given) in enumerate(events):
        after = {
            "opened": "at_risk", "raised": "action", "expired": "action", "lowered": "at_risk",
            "cleared": None, "done": None,
        }.get(change, tier)  # fmt: skip
        values = {
            "tier_before": tier,
            "tier_after": after,
            "score": 70.0,
            "actor_id": None,
            "code": None,
        } | given
        found.append(Happening(number, episode, 3, 30, change=change, at=minute * MINUTE, **values))
        tier = values["tier_after"]
    return found


def by(user: int) -> dict[str, Any]:
    return {"actor_id": user}


def only(happened: list[Happening]) -> Spell:
    (found,) = spells(happened)
    return found


def test_a_row_that_is_opened_again_is_another_time() -> None:
    first, second = spells(
        story(("opened", 0, {}), ("claimed", 5, by(ANA)), ("cleared", 60, {}), ("opened", 100, {}))
    )
    assert (first.opened_at, first.closed_at, first.is_worked) == (0, 60 * MINUTE, True)
    assert (second.opened_at, second.closed_at, second.is_worked) == (100 * MINUTE, None, False)
    assert first.covers(60 * MINUTE)
    assert not first.covers(61 * MINUTE)
    assert second.covers(10**9)


def test_the_order_of_reading_does_not_matter_and_episodes_stay_apart() -> None:
    one = story(("opened", 0, {}), ("cleared", 60, {}))
    other = story(("opened", 30, {}), episode=8)
    assert spells([*other, *reversed(one)]) == spells([*one, *other])
    assert [spell.episode_id for spell in spells([*one, *other])] == [7, 8]


def test_a_close_that_was_taken_back_is_none() -> None:
    undone = ("undone", 12, {"tier_before": "at_risk", "tier_after": "at_risk"})
    spell = only(story(("opened", 0, {}), ("claimed", 5, by(ANA)), ("done", 10, by(ANA)), undone))
    assert spell.closed_at is None


def test_claims_last_until_they_end_in_any_way() -> None:
    spell = only(
        story(
            ("opened", 0, {}),
            ("claimed", 5, by(ANA)),
            ("released", 45, by(ANA)),
            ("claimed", 50, by(BEN)),
            ("taken_over", 60, by(ANA)),
            ("lapsed", 70, {}),
            ("assigned", 80, {"actor_id": 9, "code": str(BEN)}),
            ("done", 90, by(BEN)),
        )
    )
    assert spell.claims(10**9) == [
        (ANA, 5 * MINUTE, 45 * MINUTE),
        (BEN, 50 * MINUTE, 60 * MINUTE),
        (ANA, 60 * MINUTE, 70 * MINUTE),
        (BEN, 80 * MINUTE, 90 * MINUTE),
    ]
    still = only(story(("opened", 0, {}), ("claimed", 5, by(ANA))))
    assert still.claims(20 * MINUTE) == [(ANA, 5 * MINUTE, 20 * MINUTE)]


def test_the_wait_for_a_claim_begins_with_the_latest_news() -> None:
    spell = only(
        story(("opened", 0, {}), ("raised", 100, {}), ("claimed", 104, by(ANA)), ("claimed", 200, by(BEN)))
    )
    assert spell.first_claim() == (ANA, 104 * MINUTE, 4.0)
    assert only(story(("opened", 0, {}))).first_claim() is None
    renewed = only(story(("expired", 0, {}), ("raised", 100, {}), ("claimed", 104, by(ANA))))
    assert renewed.first_claim() == (ANA, 104 * MINUTE, 104.0)


def test_what_a_baseline_has_found_is_news_to_nobody_and_its_claim_has_no_wait() -> None:
    silent = {"code": "baseline"}
    claim = ("claimed", 104, by(ANA))
    for found in (("opened", 0, silent), ("expired", 0, silent)):
        assert only(story(found, claim)).first_claim() == (ANA, 104 * MINUTE, None)
    told = only(story(("opened", 0, silent), ("raised", 100, {}), claim))
    assert told.first_claim() == (ANA, 104 * MINUTE, 4.0)
    # New thresholds have made it an action item; whoever claims it then answers neither that nor the flag.
    raised = only(story(("opened", 0, {}), ("raised", 100, silent), claim))
    assert raised.first_claim() == (ANA, 104 * MINUTE, None)


def undone(action: str, minute: int) -> tuple[str, int, dict[str, Any]]:
    return (
        "undone",
        minute,
        {"code": action, "actor_id": ANA, "tier_before": "at_risk", "tier_after": "at_risk"},
    )


def test_what_was_taken_back_was_never_held() -> None:
    claim = ("claimed", 5, by(ANA))
    spell = only(story(("opened", 0, {}), claim, undone("claim", 7)))
    assert (spell.claims(10**9), spell.first_claim(), spell.is_worked) == ([], None, False)
    spell = only(story(("opened", 0, {}), claim, undone("claim", 7), ("claimed", 9, by(BEN))))
    assert spell.first_claim() == (BEN, 9 * MINUTE, 9.0)
    assert spell.claims(20 * MINUTE) == [(BEN, 9 * MINUTE, 20 * MINUTE)]


def test_whoever_had_it_before_has_it_again_once_that_is_taken_back() -> None:
    claim = ("claimed", 5, by(ANA))
    for change, action in (("done", "done"), ("released", "release"), ("claimed", "take_all")):
        spell = only(story(("opened", 0, {}), claim, (change, 10, by(BEN)), undone(action, 12)))
        assert spell.claims(20 * MINUTE) == [(ANA, 5 * MINUTE, 20 * MINUTE)]
        assert spell.first_claim() == (ANA, 5 * MINUTE, 5.0)


def test_what_a_lead_gives_out_is_nobodys_claim_and_what_she_takes_is_hers() -> None:
    given = ("assigned", 5, {"actor_id": ANA, "code": str(BEN)})
    assert only(story(("opened", 0, {}), given, ("claimed", 50, by(ANA)))).first_claim() is None
    taken = ("assigned", 5, {"actor_id": ANA, "code": str(ANA)})
    assert only(story(("opened", 0, {}), taken)).first_claim() == (ANA, 5 * MINUTE, 5.0)


def test_the_score_is_that_of_the_instant_and_not_of_the_close() -> None:
    spell = only(
        story(
            ("opened", 0, {"score": 64.0}),
            ("raised", 50, {"score": 85.0}),
            ("expired", 60, {"score": 90.0}),
            ("lowered", 70, {"score": 72.0}),
            ("cleared", 80, {"score": 12.0}),
        )
    )
    assert [spell.score_at(minute * MINUTE) for minute in (0, 49, 50, 65, 75, 99)] == [
        (64.0, False),
        (64.0, False),
        (85.0, False),
        (90.0, True),
        (72.0, False),
        (72.0, False),
    ]


@pytest.mark.parametrize(
    ("how", "expired"),
    [
        ({"code": "snooze_over"}, True),
        ({"code": "by_hand", "actor_id": ANA}, True),
        ({"code": "score_rose"}, False),
    ],
)
def test_a_snooze_that_ends_says_nothing_of_a_subscription_that_has(
    how: dict[str, Any], expired: bool
) -> None:
    snoozed = ("snoozed", 5, {"actor_id": ANA, "code": "for_hours"})
    spell = only(story(("opened", 0, {}), ("expired", 2, {}), snoozed, ("woken", 60, how)))
    assert spell.score_at(60 * MINUTE) == (70.0, expired)
