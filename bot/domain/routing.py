"""Who gets an action item. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.domain.views import Owner


@dataclass(slots=True)
class Team:
    """Whom a creator's action items can go to. `loads`: open work by user, counted on as items are given out."""

    on_shift: Sequence[int]
    """Who is on for her, who came first before the others."""
    default_chatter_id: int | None
    lead_ids: Sequence[int]
    role_id: int | None
    loads: dict[int, int] = field(default_factory=dict)

    def choose(self, last_worked_by: int | None) -> Owner | None:
        """The owner of one more item; None where nobody at all is named.

        Whoever last worked the fan and is on shift, else the least loaded on shift (of equals who came first), else the
        default chatter, else the lead, else the role behind the channel.
        """
        if self.on_shift:
            chosen = last_worked_by
            if chosen not in self.on_shift:
                chosen = min(self.on_shift, key=lambda user: self.loads.get(user, 0))
            assert chosen is not None  # noqa: S101 - it is one of on_shift
            self.loads[chosen] = self.loads.get(chosen, 0) + 1
            return Owner("user", chosen)
        for user_id in (self.default_chatter_id, *self.lead_ids):
            if user_id is not None:
                return Owner("user", user_id)
        return Owner("role", self.role_id) if self.role_id is not None else None


def choose_all(
    team: Team, fan_account_ids: Sequence[int], last_worked: Mapping[int, int]
) -> dict[int, Owner | None]:
    """Fan account id -> owner, in the order given: the first are given out first."""
    return {fan: team.choose(last_worked.get(fan)) for fan in fan_account_ids}
