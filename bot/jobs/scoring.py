"""Scores one creator's fans, decides their episodes, and gives the changed ones a card.

A run is resumable: its maxima and its instant are frozen in `score_runs`, each page of fans is one transaction of
scores, episodes and events, and the last transaction places the run's changes on cards, because whether six new
flags make one grouped card is known only at the end.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

import structlog

from bot.domain.alerting import decide
from bot.domain.calm import is_stale
from bot.domain.desk import DeskRules
from bot.domain.eligibility import is_eligible
from bot.domain.models import (
    AlertFacts,
    AlertTier,
    CardKind,
    Change,
    Decision,
    EpisodeState,
    Policy,
    Scores,
)
from bot.domain.scoring import Model
from bot.domain.thresholds import policy_of
from bot.jobs.fetching.second_look import LooksLeft, SecondLook
from bot.jobs.placing import place
from storage import cards, creator_settings, episodes, fans, fetching, mutes, roster, runs, scores
from storage.cards import CardPayload, NewCard
from storage.engine import AgencyStore, Tx
from storage.episode_changes import EpisodeChange, RunContext, apply_changes
from storage.ids import machine_ms
from storage.roster import Creator
from storage.runs import ScoreRun
from storage.score_inputs import read_paces, read_score_inputs
from storage.score_rows import ScoreBatch
from storage.scores import ScoreInput

log = structlog.get_logger(__name__)

PAGE_FANS = 5_000
"""Fans a transaction. What a transaction costs by itself is then small beside its rows, and others wait some 50 ms."""
FANS_A_STRETCH = 250
"""Fans scored before the event loop may turn to others: a few milliseconds."""
DEFAULT_CURRENCY = "USD"
"""What the lifetime sums of the data API are in."""
_TOLD = (Change.OPENED, Change.RAISED, Change.WOKEN, Change.EXPIRED)
"""Changes that somebody is told of; the fans they are about are looked at once more before."""


@dataclass(frozen=True, slots=True)
class _Silence:
    """What keeps back what is new of a page's fans: her data is `stale`, she is muted, or some fans are (mutes, holds)."""

    stale: bool = False
    creator: bool = False
    fans: frozenset[int] = frozenset()

    def mutes(self, fan_account_id: int) -> bool:
        return self.creator or fan_account_id in self.fans


@dataclass(frozen=True, slots=True)
class _PageResult:
    """What is to become of a page: one transaction (None: nothing is written) and whom it would tell of."""

    write: Callable[[Tx], Awaitable[None]] | None
    about: tuple[int, ...]
    urgent: tuple[int, ...]


class Scoring:
    """What happens between fresh data and cards that are behind. `look` None: nobody is looked at twice."""

    def __init__(
        self,
        store: AgencyStore,
        model: Model,
        wall_ms: Callable[[], int] = machine_ms,
        *,
        look: SecondLook | None = None,
        wake_delivery: Callable[[], Awaitable[None]] | None = None,
        payments_known: bool = True,
        rules: DeskRules | None = None,
    ) -> None:
        """`payments_known` False: the data API shows none; what was spent in 30 days is known only where it says so."""
        self._look = look
        self._rules = rules if rules is not None else DeskRules()
        self._payments_known = payments_known
        self._store = store
        self._model = model
        self._wall_ms = wall_ms
        self._wake_delivery = wake_delivery
        self._turns: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def run(self, creator: Creator, sync_run_id: int | None, now_ms: int) -> None:
        """Score the creator once for `sync_run_id`, going on where an interrupted run had stopped."""
        run = await self._store.write(lambda tx: self._open(tx, creator, sync_run_id, now_ms))
        if run.finished_at is not None:
            return
        # A baseline that was asked for while this run lay interrupted: from here on it is silent, and the next run is one.
        silent = run.baseline or creator.baseline_done_at is None
        context = RunContext(run.run_id, run.now_at, silent, creator, self._rules.remind_claim_ms)
        await self._score_pages(run, context, creator)
        await self._store.write(lambda tx: self._finish(tx, run, creator, max(run.now_at, now_ms)))

    async def _score_pages(self, run: ScoreRun, context: RunContext, creator: Creator) -> None:
        """Page after page. Nothing overlaps: threads that read and write would only wait for each other's interpreter."""
        after, left = run.after_fan_id, LooksLeft()
        while True:
            looked = False
            while True:
                # Between the reading of a page and its writing nothing else decides on the same fans.
                async with self._turns[creator.id]:
                    async with self._store.read() as tx:
                        page = await scores.read_score_page(
                            tx,
                            creator.id,
                            after,
                            PAGE_FANS,
                            run.now_at,
                            payments_known=self._payments_known,
                        )
                        silence = await _silence(tx, run, creator, silent=context.baseline)
                    if not page:
                        return
                    result = await self._score_page(run, context, creator, page, silence)
                    if looked or self._look is None or context.baseline or not result.about:
                        after = page[-1].facts.fan_account_id
                        if result.write is not None:
                            await self._store.write(result.write)
                        break
                # Not in her turn: the API may take long, and the news of a webhook does not wait for it.
                await self._look.take(creator, run.sync_run_id, result.about, result.urgent, left)
                looked = True

    async def run_for(self, creator: Creator, fan_account_ids: Sequence[int], now_ms: int) -> None:
        """Score just these fans, with the maxima of her last finished run, and give what is news a card at once.

        Nothing happens before her baseline is done, nor while she is not watched, nor under another model than her last
        run's: the next full run says then what is news. She is taken as she is by now, whatever `creator` was read when.
        """
        if not fan_account_ids:
            return

        async def write(tx: Tx) -> bool:
            present = await roster.get_creator(tx, creator.id)
            if present is None or not present.is_watched or present.baseline_done_at is None:
                return False
            maxima = await runs.last_maxima(tx, creator.id, self._model.NAME, self._model.VERSION)
            if maxima is None:
                return False
            found = await read_score_inputs(
                tx, creator.id, fan_account_ids, now_ms, payments_known=self._payments_known
            )
            run = ScoreRun(tx.ids.next(), creator.id, None, now_ms, maxima, False, None, now_ms)
            context = RunContext(run.run_id, now_ms, False, present, self._rules.remind_claim_ms)
            if not found:
                return False
            # What a webhook has just told of these fans is fresh, however old the rest of her data is.
            silence = replace(await _silence(tx, run, present, silent=False), stale=False)
            result = await self._score_page(run, context, present, found, silence)
            if result.write is None:
                return False
            await runs.add_finished_run(tx, run, model=self._model.NAME, model_version=self._model.VERSION)
            await result.write(tx)
            await place(tx, run, present, self._rules, self._wall_ms(), at=now_ms)
            return True

        async with self._turns[creator.id]:
            changed = await self._store.write(write)
        if changed and self._wake_delivery is not None:
            await self._wake_delivery()

    async def _open(self, tx: Tx, creator: Creator, sync_run_id: int | None, now_ms: int) -> ScoreRun:
        found = await runs.find_score_run(tx, creator.id, sync_run_id)
        if found is not None:
            return found
        maxima = await scores.creator_maxima(tx, creator.id, now_ms)
        run = await runs.open_score_run(
            tx,
            creator.id,
            sync_run_id,
            model=self._model.NAME,
            model_version=self._model.VERSION,
            now_ms=now_ms,
            maxima=maxima,
            baseline=creator.baseline_done_at is None,
        )
        # A run with `run_for` places what it decides in the same transaction: only one that was given up leaves any.
        await episodes.adopt_unplaced(tx, creator.id, run.run_id, now_ms)
        return run

    async def _score_page(
        self,
        run: ScoreRun,
        context: RunContext,
        creator: Creator,
        page: Sequence[ScoreInput],
        silence: _Silence,
    ) -> _PageResult:
        model, maxima = self._model, run.maxima
        batch = ScoreBatch(
            agency_id=self._store.agency_id,
            ids=self._store.ids,
            creator_id=creator.id,
            run_id=run.run_id,
            model=model.NAME,
            model_version=model.VERSION,
            now_ms=run.now_at,
        )
        policy = policy_of(creator.fire_above, creator.action_above)
        changes: list[EpisodeChange] = []
        first_sights: list[int] = []
        expiries: list[int] = []
        for number, fan in enumerate(page, start=1):
            if number % FANS_A_STRETCH == 0:
                await asyncio.sleep(0)
            values = model.score(fan.facts, maxima)
            moved = batch.add(fan, values)
            if fan.first_sight_pending:
                first_sights.append(fan.facts.fan_account_id)
            decision = self._decide(fan, values, run, policy, silence)
            if fan.expiry_pending and (decision is None or decision.change is not Change.INHIBITED):
                # An end that was kept back is still to be told, when whatever keeps it back is over.
                expiries.append(fan.facts.fan_account_id)
            change = self._change_of(fan, values, creator, run, decision)
            # Where nothing is decided and no value moved, the episode has its figures already.
            if change is not None and (moved or change.decision.change is not Change.NONE):
                changes.append(change)
        if not batch and not changes and not first_sights and not expiries:
            # Where the run goes on after a crash is not worth a transaction of its own.
            return _PageResult(None, (), ())

        async def write(tx: Tx) -> None:
            await batch.write(tx)
            if changes:
                paces = await read_paces(tx, [c.fan_account_id for c in changes])
                paced = [replace(c, pace_cents=paces.get(c.fan_account_id)) for c in changes]
                await apply_changes(tx, context, paced)
            await fans.clear_pending(tx, first_sights, expiries)
            await runs.mark_scored(tx, run.run_id, page[-1].facts.fan_account_id)

        told = [change for change in changes if change.decision.change in _TOLD]
        return _PageResult(
            write,
            tuple(change.fan_account_id for change in told),
            tuple(c.fan_account_id for c in told if c.decision.tier is AlertTier.ACTION),
        )

    def _decide(
        self, fan: ScoreInput, values: Scores, run: ScoreRun, policy: Policy, silence: _Silence
    ) -> Decision | None:
        """None: there is nothing to decide."""
        churn = values.churn_risk
        episode = fan.episode
        has_open = episode is not None and episode.tier is not None
        if not has_open and not fan.expiry_pending and churn <= policy.fire_above:
            return None
        eligible = is_eligible(
            paid=fan.paid,
            subscribed_or_seen_expiring=fan.subscribed or fan.expiry_pending,
            can_receive_messages=fan.can_receive_messages,
            is_blocked=fan.is_blocked,
            is_restricted=fan.is_restricted,
            is_performer=fan.is_performer,
            deleted=fan.deleted,
        )
        if not has_open and not eligible:
            return None
        state = None
        if episode is not None:
            state = EpisodeState(
                episode.tier,
                episode.expired,
                episode.closed_at,
                episode.snoozed_until,
                episode.snooze_score,
                episode.rests_until,
                episode.rest_score,
                episode.rest_tier,
            )
        facts = AlertFacts(
            score=churn,
            status=fan.facts.status,
            eligible=eligible,
            first_sight=fan.first_sight_pending,
            expiry_seen=fan.expiry_pending,
            data_stale=silence.stale,
            holdout=False,
            last_pinged_at=fan.last_pinged_at,
            muted=silence.mutes(fan.facts.fan_account_id),
        )
        return decide(state, facts, policy, run.now_at)

    def _change_of(
        self, fan: ScoreInput, values: Scores, creator: Creator, run: ScoreRun, decision: Decision | None
    ) -> EpisodeChange | None:
        """What a decision does to the fan's episode; None: nothing, and there is none whose figures to keep current."""
        episode = fan.episode
        has_open = episode is not None and episode.tier is not None
        if decision is None or (decision.change in (Change.NONE, Change.INHIBITED) and not has_open):
            return None
        reopens = decision.reopened or has_open
        return EpisodeChange(
            episode_id=episode.episode_id if episode is not None and reopens else None,
            creator_id=creator.id,
            fan_account_id=fan.facts.fan_account_id,
            decision=decision,
            tier_before=episode.tier if episode is not None else None,
            score=values.churn_risk,
            reasons=self._model.explain(fan.facts, run.maxima),
            pace_cents=None,
            total_cents=fan.facts.total_cents,
            currency=DEFAULT_CURRENCY,
        )

    async def _finish(self, tx: Tx, run: ScoreRun, creator: Creator, at: int) -> None:
        if run.baseline:
            at_risk, action = await episodes.count_open(tx, creator.id)
            fans_seen = await fans.count(tx, creator.id)
            opened, cleared = (0, 0)
            if creator.baseline_cause is not None:
                opened, cleared = await episodes.count_moved(tx, run.run_id)
            change_id = None
            if creator.baseline_cause == "thresholds":
                change_id = await creator_settings.threshold_change(tx, creator)
            payload = CardPayload(
                at_risk=at_risk + action,
                action=action,
                cleared=cleared,
                fans=fans_seen,
                opened=opened,
                fire_above=creator.fire_above,
                action_above=creator.action_above,
                setting_change_id=change_id,
            )
            card = NewCard(
                CardKind.BASELINE, creator.id, creator.channel_id, payload, code=creator.baseline_cause
            )
            await cards.create_card(tx, card, run.now_at)
            await fetching.mark_baseline_done(tx, creator, run.now_at)
        await place(tx, run, creator, self._rules, self._wall_ms(), at=at)
        await runs.finish_score_run(tx, run.run_id, run.now_at)


async def _silence(tx: Tx, run: ScoreRun, creator: Creator, *, silent: bool) -> _Silence:
    """What keeps back her news as of the run. `silent`: a baseline tells nobody anything, so it keeps nothing back."""
    if silent:
        return _Silence()
    whole, fan_ids = await mutes.load_inhibited(tx, creator.id, run.now_at)
    # Failures before this run are over: its own data is what counts.
    return _Silence(is_stale(creator.synced_at, 0, run.now_at), whole, fan_ids)
