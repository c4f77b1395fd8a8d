"""Use cases that cogs, the router and jobs share."""

from __future__ import annotations

from dataclasses import dataclass

from bot.clock import Clock
from bot.services.access import AccessService
from bot.services.calm import CalmService
from bot.services.creator_admin import CreatorAdmin
from bot.services.creators import CreatorService
from bot.services.desk_outcomes import OutcomeService
from bot.services.digest import DigestService
from bot.services.fans import FanService
from bot.services.followups import FollowupService
from bot.services.my_work import MyWorkService
from bot.services.notes import NoteService
from bot.services.playbooks import PlaybookService
from bot.services.ports import Desk
from bot.services.queue import QueueService
from bot.services.reports import ReportService
from bot.services.saves import SavesService
from bot.services.setup import SetupService
from bot.services.shifts import ShiftService
from bot.services.snoozing import SnoozeService
from bot.services.status import StatusService
from bot.services.threads import ThreadService
from bot.services.undo import UndoService
from bot.services.winback_spreads import SpreadService
from bot.services.winbacks import WinbackService
from storage.engine import AgencyStore


@dataclass(frozen=True, slots=True)
class Services:
    """One agency's services, put together by the composition root. `chat_url` has {fan_id} in it."""

    store: AgencyStore
    clock: Clock
    access: AccessService
    calm: CalmService
    creators: CreatorService
    creator_admin: CreatorAdmin
    setup: SetupService
    status: StatusService
    fans: FanService
    threads: ThreadService
    desk: Desk
    digest: DigestService
    snoozing: SnoozeService
    queue: QueueService
    notes: NoteService
    outcomes: OutcomeService
    winbacks: WinbackService
    spreads: SpreadService
    my_work: MyWorkService
    reports: ReportService
    saves: SavesService
    shifts: ShiftService
    followups: FollowupService
    playbooks: PlaybookService
    undo: UndoService
    chat_url: str
