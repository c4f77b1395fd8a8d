"""Finding fans and looking at them: only what the viewer may see exists, and every look is on record."""

from __future__ import annotations

from dataclasses import replace

from bot.clock import Clock
from bot.domain.base36 import decode
from bot.domain.behaviour import Evidence, Standing, describe
from bot.domain.models import MS_PER_DAY, CreatorMaxima, FanFacts, SubscriptionStatus, Viewer
from bot.domain.scoring import AUTO, get_model
from bot.domain.views import FanChoice, FanProfile
from bot.services.records import append
from storage import fan_behaviour, fan_search, scores
from storage.engine import AgencyStore, Tx

CHOICES = 25
"""As many as Discord shows in an autocomplete and in a select menu."""
_TEXT_CHARS = 200
_VALUE_PREFIX = "f:"


def parse_value(text: str) -> int | None:
    """The fan account id in what an autocomplete gave (`f:<base36>`); None for any other text."""
    if not text.startswith(_VALUE_PREFIX):
        return None
    try:
        return decode(text.removeprefix(_VALUE_PREFIX))
    except ValueError:
        return None


class FanService:
    """Answers for one viewer at a time; a foreign fan and a missing one give the same answer."""

    def __init__(self, store: AgencyStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def autocomplete(self, viewer: Viewer, text: str) -> list[FanChoice]:
        """At most 25 fans whose name, id or alias begins so; with nothing typed those with the most money."""
        if not viewer.creator_ids:
            return []
        prefix = _typed(text)
        async with self._store.read() as tx:
            if not prefix:
                return list(await fan_search.top_by_money(tx, viewer.creator_ids, CHOICES))
            return list(await fan_search.search_names(tx, viewer.creator_ids, prefix, CHOICES))

    async def resolve(self, viewer: Viewer, value: str) -> FanProfile | list[FanChoice] | None:
        """The one fan meant by `f:<base36>` or an exact username, platform id or alias; several; or None.

        A profile that is returned has been written to the audit log before.
        """
        if not viewer.creator_ids:
            return None
        async with self._store.read() as tx:
            found = await self._find(tx, viewer, value)
            if len(found) != 1:
                return found[:CHOICES] or None
            profile = await fan_search.get_profile(
                tx, viewer.creator_ids, found[0].fan_account_id, self._clock.now_ms()
            )
            if profile is not None and profile.scores is not None and not profile.reasons:
                maxima = await scores.creator_maxima(tx, profile.creator_id, self._clock.now_ms())
                profile = _explained(profile, maxima, self._clock.now_ms())
            if profile is not None:
                evidence = await fan_behaviour.read_evidence(tx, profile.creator_id, profile.fan_account_id)
                profile = _described(profile, evidence, self._clock.now_ms())
        if profile is not None:
            await self._record_view(viewer, profile)
        return profile

    async def find(self, viewer: Viewer, value: str) -> list[FanChoice]:
        """The fans meant by `f:<base36>` or an exact username, platform id or alias: none, one, or several (25)."""
        if not viewer.creator_ids:
            return []
        async with self._store.read() as tx:
            return (await self._find(tx, viewer, value))[:CHOICES]

    async def _find(self, tx: Tx, viewer: Viewer, value: str) -> list[FanChoice]:
        fan_account_id = parse_value(value.strip())
        if fan_account_id is not None:
            choice = await fan_search.find_choice(tx, viewer.creator_ids, fan_account_id)
            if choice is not None:
                return [choice]
        text = _typed(value)
        return list(await fan_search.find_exact(tx, viewer.creator_ids, text)) if text else []

    async def _record_view(self, viewer: Viewer, profile: FanProfile) -> None:
        now, fan_id = self._clock.now_ms(), profile.fan_account_id
        await self._store.write(
            lambda tx: append(tx, viewer, "view_fan", "fan_account", fan_id, profile.creator_id, now)
        )


def _described(profile: FanProfile, evidence: Evidence, now_ms: int) -> FanProfile:
    """The profile with the fan's ways."""
    standing = Standing(
        status=None if profile.status is None else SubscriptionStatus(profile.status),
        at_risk=profile.open_tier is not None,
        subscribed_at=profile.subscribed_at,
        last_active_at=profile.last_active_at,
    )
    return replace(profile, behaviour=describe(evidence, standing, now_ms))


def _explained(profile: FanProfile, maxima: CreatorMaxima, now_ms: int) -> FanProfile:
    """The profile with the reasons of its score as of now; those of an open episode are kept with it instead."""
    last = profile.last_active_at
    facts = FanFacts(
        fan_account_id=profile.fan_account_id,
        total_cents=profile.total_cents,
        spend_30d_cents=profile.spend_30d_cents,
        spend_prior_30d_cents=profile.spend_prior_30d_cents,
        days_since_active=None if last is None else max(0, (now_ms - last) // MS_PER_DAY),
        messages_30d=profile.messages_30d,
        ppv_open_rate=profile.ppv_open_rate,
        status=profile.status,
    )
    model = get_model(profile.score_model or AUTO)
    return replace(profile, reasons=model.explain(facts, maxima))


def _typed(text: str) -> str:
    return text[:_TEXT_CHARS].strip().removeprefix("@").strip()
