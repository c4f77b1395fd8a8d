from __future__ import annotations

import pytest

from bot.domain.models import AccessTier
from bot.services.access import AccessRules

AMBER, BRIAR, CLEO = 1, 2, 3
RULES = AccessRules(
    role_tiers={
        10: AccessTier.CHATTER,
        20: AccessTier.LEAD,
        30: AccessTier.MANAGER,
        40: AccessTier.OWNER,
    },
    channels={AMBER: 100, BRIAR: 200, CLEO: None},
    leads={BRIAR: frozenset({5}), CLEO: frozenset({5})},
)
EVERYBODY = {AMBER, BRIAR, CLEO}


@pytest.mark.parametrize(
    ("user_id", "roles", "channels", "tier", "seen"),
    [
        pytest.param(1, [], [100, 200], AccessTier.NONE, set(), id="sight alone gives nothing"),
        pytest.param(1, [99], [100], AccessTier.NONE, set(), id="an unmapped role gives nothing"),
        pytest.param(1, [10], [100], AccessTier.CHATTER, {AMBER}, id="a role and sight of her channel"),
        pytest.param(1, [10], [], AccessTier.CHATTER, set(), id="a role without sight of any channel"),
        pytest.param(1, [10], [555], AccessTier.CHATTER, set(), id="a channel of no creator"),
        pytest.param(5, [20], [], AccessTier.LEAD, {BRIAR, CLEO}, id="her lead, without sight"),
        pytest.param(5, [20], [100], AccessTier.LEAD, EVERYBODY, id="a lead who also sees a channel"),
        pytest.param(5, [], [200], AccessTier.NONE, set(), id="a lead whose roles were taken away"),
        pytest.param(5, [10], [100], AccessTier.CHATTER, {AMBER}, id="a lead who is only a chatter by now"),
        pytest.param(6, [20], [100], AccessTier.LEAD, {AMBER}, id="a lead of nobody here"),
        pytest.param(1, [30], [], AccessTier.MANAGER, EVERYBODY, id="a manager sees all"),
        pytest.param(1, [10, 40], [], AccessTier.OWNER, EVERYBODY, id="the highest role counts"),
    ],
)
def test_who_sees_whom(
    user_id: int, roles: list[int], channels: list[int], tier: AccessTier, seen: set[int]
) -> None:
    viewer = RULES.viewer(user_id, roles, channels)
    assert (viewer.user_id, viewer.tier, viewer.creator_ids) == (user_id, tier, frozenset(seen))
