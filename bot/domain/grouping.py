"""Which cards one run's changes in one channel become, and who counts as a whale. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.domain.models import AlertTier, CardKind, Change

MAX_SINGLE_FLAGS = 5


@dataclass(frozen=True, slots=True)
class RunItem:
    """One episode that changed in the run.

    `expired`: the episode is worked as an expiry. `money_cents` orders (most first, None last). `had_card`:
    the episode already has a card of its own, not a row in a grouped one.
    """

    episode_id: int
    tier: AlertTier | None
    change: Change
    expired: bool
    whale: bool
    money_cents: int | None
    had_card: bool


@dataclass(frozen=True, slots=True)
class PlannedCard:
    """A card to make, or to bring up to date where `reuse`. `mention`: it is one that may mention its
    owner.
    """

    kind: CardKind
    episode_ids: tuple[int, ...]
    expired: bool = False
    mention: bool = False
    reuse: bool = False


_NEWS = frozenset({Change.OPENED, Change.RAISED, Change.EXPIRED, Change.WOKEN})


def group(new_items: Sequence[RunItem], limit: int = MAX_SINGLE_FLAGS) -> tuple[PlannedCard, ...]:
    """Plan the cards of one run in one channel, most urgent first; no episode is on two of them.

    The order of the input does not matter. Expiries of whales and every other action item get a card each; the
    other expiries share one grouped card, even a single one. More than `limit` new at-risk flags share one
    grouped card, fewer get one each. What has a card of its own keeps it, and does not count as a new flag; only
    a shared expiry leaves it. A change that is no news (lowered, cleared) touches the card there is and makes none.
    """
    urgent: list[PlannedCard] = []
    shared: list[RunItem] = []
    flags: list[RunItem] = []
    quiet: list[PlannedCard] = []
    for item in sorted(new_items, key=_by_money):
        expiry = item.change is Change.EXPIRED or (item.expired and item.change is Change.OPENED)
        if expiry and not item.whale:
            shared.append(item)
        elif item.change in _NEWS and item.tier is AlertTier.ACTION:
            urgent.append(_own(item, expired=expiry or item.expired, mention=True))
        elif item.had_card:
            quiet.append(_own(item, expired=item.expired, mention=False))
        elif item.change in _NEWS:
            flags.append(item)
    cards = urgent
    if shared:
        cards.append(PlannedCard(CardKind.GROUPED, _ids(shared), expired=True))
    if len(flags) > limit:
        cards.append(PlannedCard(CardKind.GROUPED, _ids(flags)))
    else:
        cards.extend(_own(item, expired=item.expired, mention=False) for item in flags)
    return (*cards, *quiet)


def whale_threshold(totals_cents: Iterable[int | None]) -> int | None:
    """The lifetime spend from which a fan is a whale: the top 1 % of one creator's paying fans, one at least.

    Fans who tie with the last of them are whales too. None: nobody has paid.
    """
    paying = sorted((total for total in totals_cents if total is not None and total > 0), reverse=True)
    if not paying:
        return None
    return paying[max(1, len(paying) // 100) - 1]


def is_whale(total_cents: int | None, threshold_cents: int | None) -> bool:
    """Whether a fan's lifetime spend reaches `whale_threshold`; unknown spend does not."""
    return total_cents is not None and threshold_cents is not None and total_cents >= threshold_cents


def _own(item: RunItem, *, expired: bool, mention: bool) -> PlannedCard:
    return PlannedCard(CardKind.ALERT, (item.episode_id,), expired, mention, reuse=item.had_card)


def _ids(items: Sequence[RunItem]) -> tuple[int, ...]:
    return tuple(item.episode_id for item in items)


def _by_money(item: RunItem) -> tuple[bool, int, int]:
    return (item.money_cents is None, -(item.money_cents or 0), item.episode_id)
