"""Who works at the sandbox's agency, for which creators and when.

A creator's channel is seen by those who work for her, so that a chatter sees only the creators worked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.sandbox.agency.model import Creator

CHATTER, LEAD, MANAGER, OWNER = "Chatter", "Lead", "Manager", "Owner"
"""Names of the roles that carry a tier."""
EVERY_DAY = (1, 2, 3, 4, 5, 6, 7)


@dataclass(frozen=True, slots=True)
class Worker:
    """A member of the guild.

    Attributes:
        tier: a role that carries a tier; None = a guest.
        roles: all roles, the tier's included.
        accounts: the creators worked for; empty for managers and the owner, who have all.
    """

    name: str
    tier: str | None
    roles: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Desk:
    """Who looks after a creator. `seen_by`: the roles that see her channel."""

    default_chatter: str
    lead: str
    seen_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shift:
    """One worker's hours for one creator: `starts` and `ends` are times of day in `zone`, on ISO weekdays."""

    account_id: str
    worker: str
    starts: str
    ends: str
    zone: str
    days: tuple[int, ...] = EVERY_DAY


@dataclass(frozen=True, slots=True)
class Staff:
    """Everybody, and the desks by account id. `extra_roles`: those that carry no tier, in rising order."""

    timezone: str
    workers: tuple[Worker, ...]
    extra_roles: tuple[str, ...]
    desks: dict[str, Desk]
    shifts: tuple[Shift, ...] = ()

    def desk_of(self, creator: Creator) -> Desk:
        return self.desks[creator.account_id]


def history_staff(creators: Sequence[Creator]) -> Staff:
    """The few people of a replayed history: two chatters share the creators, Ana has the first half.

    One lead for all, no shifts; with one creator she is Ana's.
    """
    half = (len(creators) + 1) // 2
    teams = {"Ana": creators[:half], "Ben": creators[half:]}
    every = tuple(creator.account_id for creator in creators)
    chatters = [
        Worker(
            name,
            CHATTER,
            (CHATTER, *(f"Team {creator.name}" for creator in own)),
            tuple(creator.account_id for creator in own),
        )
        for name, own in teams.items()
    ]
    desks = {
        creator.account_id: Desk(name, "Lea", (f"Team {creator.name}", LEAD, MANAGER, OWNER))
        for name, own in teams.items()
        for creator in own
    }
    return Staff(
        timezone="UTC",
        workers=(*chatters, Worker("Lea", LEAD, (LEAD,), every), *_OTHERS),
        extra_roles=tuple(f"Team {creator.name}" for creator in creators),
        desks=desks,
    )


@dataclass(frozen=True, slots=True)
class _Team:
    """`chatters` in the order of their shifts; the first has the creators by default."""

    number: int
    creators: tuple[str, ...]
    chatters: tuple[str, str, str]
    lead: str

    @property
    def role(self) -> str:
        return f"Team {self.number}"

    @property
    def lead_role(self) -> str:
        return f"Team {self.number} lead"


_OTHERS = (Worker("Max", MANAGER, (MANAGER,)), Worker("Olga", OWNER, (OWNER,)), Worker("Nia", None))
_TEAMS = (
    # First the team of the first action item: whoever opens the page is the first chatter of the list.
    _Team(2, ("vivian-vip", "freya-free"), ("Ben", "Diego", "Rosa"), "Luis"),
    _Team(1, ("amber", "nova-new"), ("Ana", "Carla", "Jun"), "Lea"),
)
_HOURS = (
    ("08:00", "16:00", "Europe/Lisbon"),
    ("11:00", "19:00", "America/Bogota"),
    ("08:00", "16:00", "Asia/Manila"),
)
"""Of a team's three chatters: from 08:00, 16:00 and 00:00 UTC while it is winter in Lisbon."""
_WITHOUT_SHIFTS = frozenset({"nova-new"})


def sample_staff(creators: Sequence[Creator]) -> Staff:
    """The sample agency's: two teams of three chatters and a lead, around the world and the clock."""
    account_of = {creator.name: creator.account_id for creator in creators}
    workers: list[Worker] = []
    leads: list[Worker] = []
    desks: dict[str, Desk] = {}
    shifts: list[Shift] = []
    for team in _TEAMS:
        own = tuple(account_of[name] for name in team.creators)
        workers += [Worker(name, CHATTER, (CHATTER, team.role), own) for name in team.chatters]
        leads.append(Worker(team.lead, LEAD, (LEAD, team.lead_role), own))
        desk = Desk(team.chatters[0], team.lead, (team.role, team.lead_role, MANAGER, OWNER))
        desks |= dict.fromkeys(own, desk)
        shifts += [
            Shift(account_of[creator], worker, *hours)
            for creator in team.creators
            if creator not in _WITHOUT_SHIFTS
            for worker, hours in zip(team.chatters, _HOURS, strict=True)
        ]
    return Staff(
        timezone="Europe/Lisbon",
        workers=(*workers, *leads, *_OTHERS),
        extra_roles=(*(team.role for team in _TEAMS), *(team.lead_role for team in _TEAMS)),
        desks=desks,
        shifts=tuple(shifts),
    )
