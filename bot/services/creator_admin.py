"""What managers do with creators: add, pause, retire, reconnect, and change how they are watched."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

from bot.clock import Clock
from bot.domain.credits import CREDITS_PER_DAY, problem_with_budget
from bot.domain.models import AccessTier, AccountRecord, Policy, Viewer
from bot.domain.naming import NameMode
from bot.domain.thresholds import policy_of, problem_with
from bot.services.creator_profiles import CreatorProfile, load_profiles
from bot.services.creator_results import AddResult, ChangeResult, account_name
from bot.services.ports import AccountLister, CardChange
from bot.services.records import append, too_late
from bot.services.undo import Turned
from storage import baselines, creator_settings, desk_actions, roster, settings
from storage.creator_settings import SettingChange, Value
from storage.desk_actions import DeskAction
from storage.engine import AgencyStore, Tx
from storage.ids import machine_ms
from storage.roster import Creator, NewCreator

MANUAL = "manual"
SETTINGS, PAUSED, UNDONE = "creator_settings", "creator_pause", "creator_undo"
_SETTINGS = (SETTINGS, PAUSED)
"""What can be taken back."""


_NOTHING: Mapping[str, Value] = {}
_THRESHOLDS = frozenset({"fire_above", "action_above"})
_USUAL: Mapping[str, Value] = {
    "fire_above": Policy().fire_above,
    "action_above": Policy().action_above,
    "name_mode": NameMode.HANDLE.value,
    "credits_per_day": 0,
}
"""What a creator has without a setting of her own: choosing it takes hers away."""
_NOT_FOUND = ChangeResult("not_found", _NOTHING, _NOTHING)


class CreatorAdmin:
    """Within what the viewer may see; that the viewer is a manager is checked by whoever calls."""

    def __init__(
        self,
        store: AgencyStore,
        clock: Clock,
        accounts: AccountLister,
        *,
        wake_delivery: Callable[[], Awaitable[None]],
        credits_per_day: int = CREDITS_PER_DAY,
        wall_ms: Callable[[], int] = machine_ms,
    ) -> None:
        """`credits_per_day` is what creators without a number of their own may cost."""
        self._store = store
        self._clock = clock
        self._accounts = accounts
        self._wake_delivery = wake_delivery
        self._credits_per_day = credits_per_day
        self._wall_ms = wall_ms

    async def free_accounts(self, *, fresh: bool = False) -> list[AccountRecord] | None:
        """The accounts that are no creator's and never were, by name; None: the data API does not answer."""
        listed = await self._accounts.list_accounts(fresh=fresh)
        if listed is None:
            return None
        async with self._store.read() as tx:
            owners = await creator_settings.account_owners(tx)
        free = [one for one in listed if one.account_id not in owners]
        return sorted(free, key=lambda one: (account_name(one).casefold(), one.account_id))

    async def owner_of(self, account_id: str) -> str | None:
        """The name of the creator who has the account, or had it; None: it is nobody's."""
        async with self._store.read() as tx:
            owner = (await creator_settings.account_owners(tx)).get(account_id)
        return owner.name if owner is not None else None

    async def add(
        self,
        viewer: Viewer,
        account_id: str,
        channel_id: int,
        *,
        default_chatter_id: int | None = None,
    ) -> AddResult:
        """Map an account of the data API to a channel; her first look begins at once, or when the set-up ends."""
        listed = await self._accounts.list_accounts()
        if listed is not None and all(one.account_id != account_id for one in listed):
            listed = await self._accounts.list_accounts(fresh=True)
        if listed is None:
            return AddResult("no_answer")
        account = next((one for one in listed if one.account_id == account_id), None)
        if account is None:
            return AddResult("unknown_account")
        found, now = account, self._clock.now_ms()

        async def write(tx: Tx) -> AddResult:
            owner = (await creator_settings.account_owners(tx)).get(account_id)
            if owner is not None:
                return AddResult("account_taken", owner.creator_id, owner.name)
            creators = await roster.list_creators(tx)
            taken = next((one for one in creators if one.channel_id == channel_id), None)
            if taken is not None:
                return AddResult("channel_taken", taken.id, taken.name)
            begins = (await settings.read_settings(tx)).set_up_at is not None
            name = _free_name(found, {one.name.casefold() for one in creators})
            creator_id = await roster.add_creator(
                tx,
                NewCreator(
                    account_id,
                    name,
                    channel_id,
                    default_chatter_id,
                    platform_user_id=found.platform_user_id,
                    paused_reason=None if begins else settings.WAITING_FOR_SETUP,
                ),
                now,
            )
            await self._audit(tx, viewer, "creator_add", creator_id)
            return AddResult("added", creator_id, name, begins)

        return await self._store.write(write)

    async def set_people(
        self, viewer: Viewer, creator_id: int, who: Literal["chatter", "lead"], user_id: int | None
    ) -> bool:
        """Who gets her action items, or who leads her team. False: no such creator."""

        async def write(tx: Tx) -> bool:
            if await _seen(tx, viewer, creator_id) is None:
                return False
            if who == "chatter":
                await creator_settings.set_default_chatter(tx, creator_id, user_id)
            else:
                await creator_settings.set_lead(tx, creator_id, user_id)
            await self._audit(tx, viewer, f"creator_{who}", creator_id)
            return True

        return await self._store.write(write)

    async def list_profiles(self, viewer: Viewer) -> list[CreatorProfile]:
        """Whom the viewer may see, the retired ones last."""
        async with self._store.read() as tx:
            found = await load_profiles(tx, self._credits_per_day)
        seen = [one for one in found if one.creator_id in viewer.creator_ids]
        return sorted(seen, key=lambda one: one.state == "retired")

    async def load_profile(self, viewer: Viewer, creator_id: int) -> CreatorProfile | None:
        return next((p for p in await self.list_profiles(viewer) if p.creator_id == creator_id), None)

    async def change(self, viewer: Viewer, creator_id: int, values: Mapping[str, Value]) -> ChangeResult:
        """Set columns of a creator that can be undone, all or none; `same` where she has them so already.

        `channel_id`: her cards go there from now on; `channel_taken` where another creator has it.
        """
        now = self._clock.now_ms()

        async def write(tx: Tx) -> ChangeResult:
            creator = await _seen(tx, viewer, creator_id)
            if creator is None:
                return _NOT_FOUND
            own = {name: None if value == _USUAL.get(name) else value for name, value in values.items()}
            return await self._apply(tx, viewer, creator, own, SETTINGS, now)

        return await self._changed(write)

    async def pause(self, viewer: Viewer, creator_id: int) -> ChangeResult:
        """Hold her data and her alerts until she is resumed."""
        return await self._act(viewer, creator_id, {"paused_reason": MANUAL}, PAUSED)

    async def resume(self, viewer: Viewer, creator_id: int) -> ChangeResult:
        """Watch her again, also where she was retired."""
        now = self._clock.now_ms()

        async def write(tx: Tx) -> ChangeResult:
            creator = await _seen(tx, viewer, creator_id)
            if creator is None:
                return _NOT_FOUND
            if creator.is_watched:
                return ChangeResult("same", _NOTHING, _NOTHING)
            if creator.paused_reason == settings.WAITING_FOR_SETUP and creator.retired_at is None:
                return ChangeResult("waiting", _NOTHING, _NOTHING)
            before: dict[str, Value] = {
                "paused_reason": creator.paused_reason,
                "retired_at": creator.retired_at,
            }
            await creator_settings.resume(tx, creator, now)
            await self._audit(tx, viewer, "creator_resume", creator_id)
            if creator.paused_reason == settings.WAITING_FOR_SETUP:
                return ChangeResult("waiting", _NOTHING, _NOTHING)
            silent = creator.retired_at is not None
            return ChangeResult("changed", before, dict.fromkeys(before), baseline=silent)

        return await self._store.write(write)

    async def retire(self, viewer: Viewer, creator_id: int) -> ChangeResult:
        """No more looks at her; what is known stays."""
        now = self._clock.now_ms()

        async def write(tx: Tx) -> ChangeResult:
            creator = await _seen(tx, viewer, creator_id)
            if creator is None:
                return _NOT_FOUND
            if creator.retired_at is not None:
                return ChangeResult("same", _NOTHING, _NOTHING)
            await creator_settings.retire(tx, creator_id, now)
            await self._audit(tx, viewer, "creator_retire", creator_id)
            return ChangeResult("changed", {"retired_at": None}, {"retired_at": now})

        return await self._store.write(write)

    async def reconnect(self, viewer: Viewer, creator_id: int, account_id: str) -> AddResult | ChangeResult:
        """The same creator under another account of the data API; what is known of her fans stays theirs."""
        listed = await self._accounts.list_accounts(fresh=True)
        if listed is None:
            return AddResult("no_answer")
        if all(one.account_id != account_id for one in listed):
            return AddResult("unknown_account")
        now = self._clock.now_ms()

        async def write(tx: Tx) -> AddResult | ChangeResult:
            creator = await _seen(tx, viewer, creator_id)
            if creator is None:
                return _NOT_FOUND
            owner = (await creator_settings.account_owners(tx)).get(account_id)
            if owner is not None and owner.creator_id != creator_id:
                return AddResult("account_taken", owner.creator_id, owner.name)
            if creator.account_id == account_id:
                return ChangeResult("same", _NOTHING, _NOTHING)
            await creator_settings.reconnect(tx, creator, account_id, now)
            await self._audit(tx, viewer, "creator_reconnect", creator_id)
            before, after = {"account_id": creator.account_id}, {"account_id": account_id}
            silent = creator.baseline_done_at is not None
            return ChangeResult("changed", before, after, baseline=silent)

        return await self._store.write(write)

    async def card_change(self, viewer: Viewer, card_id: int) -> CardChange | None:
        """The change of thresholds a baseline card is about; None: there is no such card that the viewer may see."""
        async with self._store.read() as tx:
            found = await baselines.find_change(tx, card_id)
            creator = await _seen(tx, viewer, found[0]) if found is not None else None
            if found is None or creator is None:
                return None
            done = await creator_settings.find_change(tx, found[1]) if found[1] is not None else None
            if done is None:
                return CardChange(creator.id, creator.name)
            return CardChange(
                creator.id, creator.name, done.change_id, done.before, done.after, undone=done.undone
            )

    async def undo(
        self, viewer: Viewer, creator_id: int, change_id: int, *, however_old: bool = False
    ) -> ChangeResult:
        """Take a change of settings back, unless something was changed since, or it is older than ten minutes."""

        async def write(tx: Tx) -> ChangeResult:
            creator = await _seen(tx, viewer, creator_id)
            done = await creator_settings.find_change(tx, change_id)
            if creator is None or done is None or done.creator_id != creator_id:
                return _NOT_FOUND
            if done.undone:
                return ChangeResult("same", _NOTHING, _NOTHING)
            action = await desk_actions.find_latest(tx, "setting", change_id, _SETTINGS)
            if not however_old and (action is None or too_late(action, self._wall_ms())):
                return ChangeResult("too_late", _NOTHING, _NOTHING)
            result = await self._put_back(tx, viewer, creator, done)
            if result.status == "changed" and action is not None:
                await desk_actions.mark_undone(tx, action.id, viewer.user_id, self._clock.now_ms())
            return result

        return await self._changed(write)

    async def take_back(self, tx: Tx, viewer: Viewer, action: DeskAction) -> Turned:
        """Take a change of settings back, unless something was changed since."""
        done = await creator_settings.find_change(tx, action.target_id or 0)
        creator = None if done is None else await _seen(tx, viewer, done.creator_id)
        if creator is None or done is None:
            return Turned("not_found")
        if viewer.tier < AccessTier.MANAGER:
            return Turned("not_yours")
        result = await self._put_back(tx, viewer, creator, done)
        return Turned("undone", 1) if result.status == "changed" else Turned("overtaken")

    async def _put_back(self, tx: Tx, viewer: Viewer, creator: Creator, done: SettingChange) -> ChangeResult:
        if done.undone or any(getattr(creator, name) != value for name, value in done.after.items()):
            return ChangeResult("overtaken", _NOTHING, _NOTHING)
        now = self._clock.now_ms()
        result = await self._apply(tx, viewer, creator, done.before, UNDONE, now)
        if result.status == "changed":
            await creator_settings.mark_undone(tx, done.change_id, now)
            await baselines.mark_reverted(tx, creator.id, done.change_id, viewer.user_id)
        if result.status == "channel_taken":
            return ChangeResult("overtaken", _NOTHING, _NOTHING)
        return result

    async def _act(
        self, viewer: Viewer, creator_id: int, values: Mapping[str, Value], action: str
    ) -> ChangeResult:
        now = self._clock.now_ms()

        async def write(tx: Tx) -> ChangeResult:
            creator = await _seen(tx, viewer, creator_id)
            if creator is None:
                return _NOT_FOUND
            if creator.paused_reason == settings.WAITING_FOR_SETUP:
                return ChangeResult("waiting", _NOTHING, _NOTHING)
            return await self._apply(tx, viewer, creator, values, action, now)

        return await self._changed(write)

    async def _apply(
        self, tx: Tx, viewer: Viewer, creator: Creator, values: Mapping[str, Value], what: str, now: int
    ) -> ChangeResult:
        after = {name: value for name, value in values.items() if getattr(creator, name) != value}
        if not after:
            return ChangeResult("same", _NOTHING, _NOTHING)
        moved = _THRESHOLDS & after.keys()
        fire, action = (after.get(name, getattr(creator, name)) for name in ("fire_above", "action_above"))
        problem = _problem_with(fire, action) if moved else None
        budget = after.get("credits_per_day")
        if problem is None and isinstance(budget, int):
            problem = problem_with_budget(budget)
        if problem is not None:
            return ChangeResult("invalid", _NOTHING, _NOTHING, problem=problem)
        if "channel_id" in after:
            there = [one for one in await roster.list_creators(tx) if one.channel_id == after["channel_id"]]
            if there:
                return ChangeResult("channel_taken", _NOTHING, _NOTHING, taken_by=there[0].name)
        before: dict[str, Value] = {name: getattr(creator, name) for name in after}
        change_id = await creator_settings.change(tx, creator, after, viewer.user_id, now)
        await self._audit(tx, viewer, what, creator.id)
        if what != UNDONE:
            await desk_actions.record(
                tx, viewer.user_id, what, "setting", change_id, creator.id, now, self._wall_ms()
            )
        # A first import is silent anyway, and who is not watched is not looked at now.
        looked_at = creator.is_watched and creator.synced_at is not None
        return ChangeResult("changed", before, after, change_id, baseline=bool(moved) and looked_at)

    async def _changed(self, write: Callable[[Tx], Awaitable[ChangeResult]]) -> ChangeResult:
        result = await self._store.write(write)
        if result.status == "changed":
            await self._wake_delivery()
        return result

    async def _audit(self, tx: Tx, viewer: Viewer, action: str, creator_id: int) -> None:
        await append(tx, viewer, action, "creator", creator_id, creator_id, self._clock.now_ms())


def _problem_with(fire_above: Value, action_above: Value) -> str | None:
    """What is wrong with the thresholds a creator would have; None for one: the product's."""
    numbers = [float(one) if isinstance(one, float | int) else None for one in (fire_above, action_above)]
    policy = policy_of(*numbers)
    return problem_with(policy.fire_above, policy.action_above)


async def _seen(tx: Tx, viewer: Viewer, creator_id: int) -> Creator | None:
    """The creator, where the viewer may see her."""
    return await roster.get_creator(tx, creator_id) if creator_id in viewer.creator_ids else None


def _free_name(account: AccountRecord, taken: set[str]) -> str:
    """A name no other creator goes by: people choose by it."""
    name = account_name(account)
    for candidate in (name, account.username or name, f"{name} {account.account_id}"):
        if candidate.casefold() not in taken:
            return candidate
    return account.account_id
