"""Puts the services of one agency together, for the runner."""

from __future__ import annotations

from functools import partial

from bot.clock import Clock
from bot.config import Settings
from bot.fanapi.protocol import FanApi
from bot.jobs.accounts import Accounts
from bot.jobs.delivery import Delivery
from bot.services import Services
from bot.services.access import AccessService
from bot.services.calm import CalmService
from bot.services.creator_admin import CreatorAdmin
from bot.services.creators import CreatorService
from bot.services.desk import Desk
from bot.services.desk_outcomes import OutcomeService
from bot.services.digest import DigestService
from bot.services.fans import FanService
from bot.services.followups import FollowupService
from bot.services.my_work import MyWorkService
from bot.services.notes import NoteService
from bot.services.playbooks import PlaybookService
from bot.services.queue import QueueService
from bot.services.reports import ReportService
from bot.services.saves import SavesService
from bot.services.setup import SetupService
from bot.services.shifts import ShiftService
from bot.services.snoozing import SnoozeService
from bot.services.status import StatusService
from bot.services.threads import ThreadService
from bot.services.undo import UndoService
from bot.services.undo_handlers import undo_handlers
from bot.services.winback_spreads import SpreadService
from bot.services.winbacks import WinbackService
from storage.engine import AgencyStore
from storage.urls import SqliteFile, parse_database_url


def build_services(
    settings: Settings, store: AgencyStore, clock: Clock, api: FanApi, delivery: Delivery
) -> Services:
    """Everything that commands, presses and jobs share."""
    shifts = ShiftService(store, clock, settings.desk_rules())
    creator_admin = CreatorAdmin(
        store,
        clock,
        Accounts(api),
        wake_delivery=delivery.wake,
        credits_per_day=settings.credits_per_day,
    )
    notes = NoteService(store, clock, wake_delivery=delivery.wake)
    followups = FollowupService(store, clock, wake_delivery=delivery.wake)
    playbooks = PlaybookService(store, clock, wake_delivery=delivery.wake)
    winbacks, spreads = WinbackService(store, clock), SpreadService(store, clock)
    return Services(
        store=store,
        clock=clock,
        access=AccessService(store, note_seen=shifts.note_seen),
        calm=CalmService(store, clock, wake_delivery=delivery.wake),
        creators=CreatorService(store),
        creator_admin=creator_admin,
        setup=SetupService(store, clock),
        status=StatusService(
            store,
            clock,
            database_bytes=partial(database_bytes, settings.database_url),
            credits_per_day=settings.credits_per_day,
            webhooks=settings.webhook_listen is not None,
        ),
        fans=FanService(store, clock),
        threads=ThreadService(store, clock),
        digest=DigestService(store, clock),
        snoozing=SnoozeService(store, clock, settings.desk_rules(), wake_delivery=delivery.wake),
        desk=Desk(
            store,
            clock,
            rules=settings.desk_rules(),
            wake_delivery=delivery.wake,
            is_in_flight=delivery.is_in_flight,
            answering=delivery.answering.of,
        ),
        queue=QueueService(store, clock),
        outcomes=OutcomeService(store, clock, wake_delivery=delivery.wake),
        notes=notes,
        winbacks=winbacks,
        spreads=spreads,
        my_work=MyWorkService(store, clock),
        reports=ReportService(
            store, clock, balance=lambda: api.meter.balance, credits_per_day=settings.credits_per_day
        ),
        saves=SavesService(store, clock),
        shifts=shifts,
        followups=followups,
        playbooks=playbooks,
        undo=UndoService(
            store,
            clock,
            undo_handlers(
                clock,
                creator_admin=creator_admin,
                followups=followups,
                notes=notes,
                playbooks=playbooks,
                shifts=shifts,
                spreads=spreads,
                winbacks=winbacks,
            ),
            wake_delivery=delivery.wake,
        ),
        chat_url=settings.chat_url,
    )


def database_bytes(url: str) -> int | None:
    """The size of the database file with its log; None where the database is none."""
    target = parse_database_url(url)
    if not isinstance(target, SqliteFile):
        return None
    files = (target.path, target.path.with_name(f"{target.path.name}-wal"))
    return sum(file.stat().st_size for file in files if file.exists())
