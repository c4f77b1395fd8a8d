"""What a card or a profile shows: plain values that storage fills and `discord_ui` renders. No Discord types here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from bot.domain.behaviour import Behaviour
from bot.domain.desk import Closing, Hold, Ledger, Moods, NextFollowup, PingState, PlaybookView, Snooze
from bot.domain.digests import Figures
from bot.domain.models import AlertTier, Reason, Scores
from bot.domain.notes import Note
from bot.domain.shifts import ShiftSpan

BaselineCause = Literal["thresholds", "reconnected", "resumed", "import"]


@dataclass(frozen=True, slots=True)
class Owner:
    """Who an action item belongs to: a user, or the role behind the channel where nobody is named."""

    kind: Literal["user", "role"]
    discord_id: int


@dataclass(frozen=True, slots=True)
class FanLabel:
    """The names of a fan as the platform gives them: hostile text, to be made safe when rendered."""

    platform_fan_id: str
    username: str | None
    name: str | None
    alias: str | None


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One episode as it stands now. `pace_cents`: net spend per 30 days before going quiet, None where unknown."""

    episode_id: int
    fan_account_id: int
    fan: FanLabel
    tier: AlertTier | None
    """None: the episode is closed."""
    expired: bool
    score: float
    score_before: float | None
    reasons: tuple[Reason, ...]
    """Largest points first; their sum is the score."""
    pace_cents: int | None
    total_cents: int | None
    currency: str
    status: str | None
    expires_at: int | None
    rebill_off: bool | None
    owner: Owner | None
    claimed_by: int | None
    claimed_at: int | None
    opened_at: int
    closed_at: int | None
    chat_url: str | None = None
    """Where the creator's chats are, with {fan_id} in it; None: where the agency's are."""
    snooze: Snooze | None = None
    closing: Closing | None = None
    """How a person closed it; None: it is open, or the run closed it."""
    escalation_stage: int = 0
    """Whom it has gone to: 0 its owner, 1 the lead, 2 the manager."""
    ping_state: PingState | None = None
    on_hold: bool = False
    """Nobody is to contact the fan for now."""


@dataclass(frozen=True, slots=True)
class AlertCard:
    """A card of one fan."""

    card_id: int
    creator_name: str
    row: AlertRow
    synced_at: int | None
    """When the creator's data was last fetched in full or in part, for the age on the card."""
    moved: bool = False
    """The fan's row is on another card now: this one is over."""
    note: Note | None = None
    """The fan's newest."""
    hold: Hold | None = None
    ledger: Ledger | None = None
    playbook: PlaybookView | None = None
    followup: NextFollowup | None = None
    last: Closing | None = None
    """How a person last closed an alert about this fan, where this one is open."""
    mood: Closing | None = None
    """The latest of them that says how the fan seemed."""
    timer: Literal["reminded", "snooze_over"] | None = None
    """Why its message was posted anew, while nobody has done anything about it since."""


@dataclass(frozen=True, slots=True)
class GroupedCard:
    """A card of many fans, most money first. `expired`: the subscriptions that were seen ending in one run."""

    card_id: int
    creator_name: str
    expired: bool
    rows: tuple[AlertRow, ...]
    """The open ones only."""
    started_with: int
    """How many rows the card was made with."""
    synced_at: int | None
    called: Owner | None = None
    """Whom its present message was posted for; None: nobody in particular."""


@dataclass(frozen=True, slots=True)
class BaselineCard:
    """What a first import, or a change of what scores mean, opened and closed in silence.

    `at_risk`: all who are above `fire_above` now, `action` those of them above `action_above`. `opened` and `cleared`:
    whose episodes this run opened and closed. `cause` None: it is the first import.
    """

    card_id: int
    creator_name: str
    at_risk: int
    action: int
    cleared: int
    fans: int
    at: int
    fire_above: float = 60.0
    action_above: float = 80.0
    cause: BaselineCause | None = None
    opened: int = 0
    revertible: bool = False
    """New thresholds have caused it, and nobody has taken them back by this card."""
    reverted_by: int | None = None


@dataclass(frozen=True, slots=True)
class NoticeCard:
    """Trouble with a creator's data or channel, or with the whole data API, or a drill; `resolved_at` set: it is over."""

    card_id: int
    code: Literal[
        "api_down",
        "session_expired",
        "credits_exhausted",
        "key_refused",
        "account_missing",
        "stale",
        "budget_reached",
        "channel_gone",
        "channel_closed",
        "drill",
    ]
    creator_name: str | None
    since_at: int
    data_at: int | None
    """The age of what is shown meanwhile; None: nothing was ever fetched."""
    resolved_at: int | None
    permissions: tuple[str, ...] = ()
    """What the bot lacks in a channel that is closed, by discord.py's names."""
    asked_by: int | None = None
    """Who wanted the drill and is mentioned in it."""


@dataclass(frozen=True, slots=True)
class OpenTotals:
    """What is open in all. `pace_cents`: (currency, net spend per 30 days) where it is known, by currency."""

    episodes: int
    pace_cents: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class OnNow:
    """Somebody on shift. `until_at`: when that ends by itself; `seen`: they have done something since it began."""

    user_id: int
    until_at: int
    seen: bool = True
    since_at: int | None = None
    """None: not asked for."""


@dataclass(frozen=True, slots=True)
class BoardCard:
    """A creator's live board. `rows`: the first of her open episodes, most money first, scores as last shown."""

    card_id: int
    creator_name: str
    rows: tuple[AlertRow, ...]
    totals: OpenTotals
    has_shifts: bool
    """Whether any are planned for her."""
    on_shift: tuple[OnNow, ...]
    next_shift: ShiftSpan | None
    """Who comes on next by the plan."""
    winbacks_open: int
    winbacks_overdue: int
    synced_at: int | None
    is_over: bool = False
    """Its creator has retired or has another channel."""


@dataclass(frozen=True, slots=True)
class DigestPart:
    """A creator's line in the agency's digest."""

    creator_name: str
    figures: Figures


@dataclass(frozen=True, slots=True)
class DigestCard:
    """What the last day was, of one creator or (`creator_name` None) of the whole agency.

    `day`: the local date on whose morning it was made, YYYY-MM-DD. `fans`: what the fans it tells of are called in public,
    by account id; forgotten ones are left out, and the agency's has none.
    """

    card_id: int
    creator_name: str | None
    day: str
    figures: Figures
    fans: Mapping[int, FanLabel]
    parts: tuple[DigestPart, ...]


@dataclass(frozen=True, slots=True)
class HandoverNote:
    """A follow-up that is due, or a fan not to contact. `text` is hostile and empty where the fan's name is hidden.

    `at`: when it is due or ends, None: not at all; `user_id`: whose it is or who said so.
    """

    fan: FanLabel
    text: str
    at: int | None
    user_id: int | None


@dataclass(frozen=True, slots=True)
class HandoverCard:
    """What somebody whose shift has ended leaves to the others, as it stands now.

    `rows`: the claims that are still theirs, most money first. `taken`: (user id, how many) for who has the others.
    """

    card_id: int
    creator_name: str
    user_id: int
    at: int
    """When the shift ended."""
    lapses_at: int
    rows: tuple[AlertRow, ...]
    taken: tuple[tuple[int, int], ...] = ()
    closed: int = 0
    lapsed: int = 0
    snoozes: tuple[AlertRow, ...] = ()
    """About to end."""
    followups: tuple[HandoverNote, ...] = ()
    holds: tuple[HandoverNote, ...] = ()
    next_user_id: int | None = None
    """Whom the card called."""
    is_over: bool = False
    """The person is back, a later hand-over stands in its place, or it is too old to matter."""

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to take or to know."""
        had_claims = bool(self.taken or self.closed or self.lapsed)
        return self.is_over or not (self.rows or (not had_claims and (self.snoozes or self.followups)))


@dataclass(frozen=True, slots=True)
class FollowupCard:
    """The reminder of a follow-up. `what` is hostile text; None: it is as hidden as the fan's name."""

    card_id: int
    creator_name: str
    followup_id: int
    fan: FanLabel
    what: str | None
    due_at: int
    assignee_id: int | None
    promise: bool
    state: Literal["open", "done", "withdrawn"]
    put_off: bool
    """It is to be reminded of another time: this card is over."""
    on_hold: bool
    """The fan was not to be contacted when it was due."""
    done_by: int | None
    done_at: int | None


CardView = (
    AlertCard | GroupedCard | BaselineCard | NoticeCard | BoardCard | DigestCard | HandoverCard | FollowupCard
)


class QueueSort(StrEnum):
    """What a queue is in order of."""

    MONEY = "money"
    RISK = "risk"
    EXPIRY = "expiry"


@dataclass(frozen=True, slots=True)
class QueueRow:
    """An open episode and whose fan it is about."""

    creator_name: str
    row: AlertRow


@dataclass(frozen=True, slots=True)
class QueuePage:
    """One page of the open episodes of one creator, or of several. Pages count from 0."""

    creator_id: int | None
    """None: every creator the viewer sees."""
    creator_name: str | None
    sort: QueueSort
    page: int
    pages: int
    rows: tuple[QueueRow, ...]
    totals: OpenTotals
    synced_at: int | None
    """The age of the oldest data among the creators."""


@dataclass(frozen=True, slots=True)
class FanProfile:
    """Everything a lookup shows of one fan account. Cents in `currency`; None is unknown."""

    fan_account_id: int
    creator_id: int
    creator_name: str
    fan: FanLabel
    status: str | None
    subscribed_at: int | None
    expires_at: int | None
    rebill_off: bool | None
    price_cents: int | None
    total_cents: int | None
    subscriptions_cents: int | None
    tips_cents: int | None
    messages_cents: int | None
    posts_cents: int | None
    streams_cents: int | None
    spend_30d_cents: int | None
    spend_prior_30d_cents: int | None
    currency: str
    first_seen_at: int
    last_active_at: int | None
    last_purchase_at: int | None
    messages_30d: int | None
    ppv_open_rate: float | None
    scores: Scores | None
    scored_at: int | None
    score_model: str | None
    reasons: tuple[Reason, ...]
    open_tier: AlertTier | None
    owner: Owner | None
    claimed_by: int | None
    is_blocked: bool | None
    is_restricted: bool | None
    is_performer: bool | None
    synced_at: int | None
    note_count: int
    newest_note: Note | None
    behaviour: Behaviour | None = None
    """None: it was not read."""
    hold: Hold | None = None
    followup: NextFollowup | None = None
    last: Closing | None = None
    mood: Closing | None = None
    """The latest outcome that says how the fan seemed."""
    moods: Moods | None = None
    """Of all of them; None: it was not read."""


@dataclass(frozen=True, slots=True)
class FanChoice:
    """One line of a pick list or an autocomplete: `fan_account_id` and what tells it apart."""

    fan_account_id: int
    creator_name: str
    fan: FanLabel
    total_cents: int | None
    currency: str
    churn_risk: float | None
