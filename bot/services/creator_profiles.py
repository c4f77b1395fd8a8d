"""One creator whole, for those who decide how she is watched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from bot.domain.naming import NameMode, name_mode
from bot.domain.thresholds import policy_of
from storage import creator_settings, roster, settings
from storage.engine import Tx
from storage.roster import Creator

State = Literal["active", "waiting", "paused", "retired", "session_expired", "account_missing", "stale"]


@dataclass(frozen=True, slots=True)
class CreatorProfile:
    """One creator as managers see her. Ids are Discord's but for `creator_id`; instants are agency time."""

    creator_id: int
    name: str
    account_id: str
    channel_id: int
    state: State
    synced_at: int | None
    next_look_at: int
    failed_polls: int
    open_alerts: int
    open_actions: int
    default_chatter_id: int | None
    lead_ids: tuple[int, ...]
    fire_above: float
    action_above: float
    clear_below: float
    action_clear_below: float
    timezone: str | None
    """None: the agency's."""
    agency_timezone: str | None
    name_mode: NameMode
    chat_url: str | None
    """None: the agency's."""
    own_credits_per_day: int | None
    """None: the agency's."""
    credits_per_day: int
    """What she may cost a day, whosever number it is."""
    webhook_at: int | None
    """When her last webhook came; None: none ever did."""
    baseline_pending: bool
    """The next look at her is silent."""


async def load_profiles(tx: Tx, credits_per_day: int) -> list[CreatorProfile]:
    """Every creator, by name. `credits_per_day`: what those without a number of their own may cost."""
    work = await creator_settings.open_work(tx)
    troubles = await creator_settings.open_troubles(tx)
    zone = (await settings.read_settings(tx)).timezone
    return [
        _profile(one, work.get(one.id, (0, 0)), troubles.get(one.id), zone, credits_per_day)
        for one in await roster.list_creators(tx)
    ]


def _profile(
    creator: Creator, work: tuple[int, int], trouble: str | None, zone: str | None, credits_per_day: int
) -> CreatorProfile:
    policy = policy_of(creator.fire_above, creator.action_above)
    return CreatorProfile(
        creator_id=creator.id,
        name=creator.name,
        account_id=creator.account_id,
        channel_id=creator.channel_id,
        state=_state(creator, trouble),
        synced_at=creator.synced_at,
        next_look_at=min(creator.next_poll_at, creator.next_walk_at),
        failed_polls=creator.failed_polls,
        open_alerts=work[0],
        open_actions=work[1],
        default_chatter_id=creator.default_chatter_id,
        lead_ids=creator.lead_ids,
        fire_above=policy.fire_above,
        action_above=policy.action_above,
        clear_below=policy.clear_below,
        action_clear_below=policy.action_clear_below,
        timezone=creator.timezone,
        agency_timezone=zone,
        name_mode=name_mode(creator.name_mode),
        chat_url=creator.chat_url,
        own_credits_per_day=creator.credits_per_day,
        credits_per_day=credits_per_day if creator.credits_per_day is None else creator.credits_per_day,
        webhook_at=creator.webhook_at,
        baseline_pending=creator.baseline_done_at is None,
    )


def _state(creator: Creator, trouble: str | None) -> State:
    if creator.retired_at is not None:
        return "retired"
    if creator.paused_reason == settings.WAITING_FOR_SETUP:
        return "waiting"
    if creator.paused_reason is not None:
        return "paused"
    known: dict[Any, State] = {
        "session_expired": "session_expired",
        "account_missing": "account_missing",
        "stale": "stale",
    }
    return known.get(trouble, "active")
