"""Eligibility, money as text, and access tiers."""

from __future__ import annotations

import pytest

from bot.domain.access import may, refusal, tier_of
from bot.domain.eligibility import is_eligible
from bot.domain.models import AccessTier
from bot.domain.money import format_cents

FINE = {
    "paid": True,
    "subscribed_or_seen_expiring": True,
    "can_receive_messages": True,
    "is_blocked": False,
    "is_restricted": False,
    "is_performer": False,
    "deleted": False,
}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        pytest.param({}, True, id="a paying subscriber is eligible"),
        pytest.param({"paid": False}, False, id="who never paid is not"),
        pytest.param({"paid": False, "alert_never_paid": True}, True, id="unless the agency wants that"),
        pytest.param({"subscribed_or_seen_expiring": False}, False, id="who left long ago is not"),
        pytest.param({"can_receive_messages": False}, False, id="who cannot be written to is not"),
        pytest.param({"is_blocked": True}, False, id="the blocked are not"),
        pytest.param({"is_restricted": True}, False, id="the restricted are not"),
        pytest.param({"is_performer": True}, False, id="performers are not"),
        pytest.param({"deleted": True}, False, id="the deleted are not"),
        pytest.param(
            dict.fromkeys(("can_receive_messages", "is_blocked", "is_restricted", "is_performer")),
            True,
            id="unknown flags count as fine",
        ),
    ],
)
def test_eligibility(changed: dict[str, bool | None], expected: bool) -> None:
    assert is_eligible(**{**FINE, **changed}) is expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cents", "currency", "exact", "text"),
    [
        (123_400, "USD", False, "$1,234"),
        (123_450, "USD", True, "$1,234.50"),
        (-1_200, "USD", False, "-$12"),
        (-1_205, "USD", True, "-$12.05"),
        (123_400, "EUR", False, "1,234 EUR"),
        (-5, "EUR", True, "-0.05 EUR"),
        (0, "USD", False, "$0"),
        (49, "USD", False, "$0"),
        (50, "USD", False, "$1"),
        (-49, "USD", False, "$0"),
        (-50, "USD", False, "-$1"),
        (123_456_789_012, "USD", True, "$1,234,567,890.12"),
    ],
)
def test_money_reads(cents: int, currency: str, exact: bool, text: str) -> None:
    assert format_cents(cents, currency, exact=exact) == text


def test_the_highest_mapped_role_counts() -> None:
    tiers = {1: AccessTier.CHATTER, 2: AccessTier.MANAGER}
    assert tier_of([9, 1, 2], tiers) is AccessTier.MANAGER
    assert tier_of([9], tiers) is AccessTier.NONE
    assert tier_of([], tiers) is AccessTier.NONE


def test_a_higher_tier_may_what_a_lower_one_may() -> None:
    assert may(AccessTier.OWNER, AccessTier.LEAD)
    assert may(AccessTier.LEAD, AccessTier.LEAD)
    assert not may(AccessTier.CHATTER, AccessTier.LEAD)


def test_a_refusal_names_the_role() -> None:
    assert refusal(AccessTier.LEAD) == "This needs the lead role or higher."
    assert refusal(AccessTier.OWNER) == "This needs the owner role."
    with pytest.raises(ValueError, match="nobody is refused"):
        refusal(AccessTier.NONE)
