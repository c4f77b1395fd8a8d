"""What nobody may get round: what each command needs, and what must not change where somebody is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from typing import Any

from bot.domain.models import AccessTier
from tests.e2e import ledger
from tests.e2e.harness import Json, Reply
from tests.e2e.office import Office
from tests.e2e.reading import is_private, text_of

HOME = "fanwatch-notices"
PEOPLE = {
    AccessTier.NONE: "Nia",
    AccessTier.CHATTER: "Ana",
    AccessTier.LEAD: "Lea",
    AccessTier.MANAGER: "Max",
    AccessTier.OWNER: "Olga",
}
NEEDS = {
    AccessTier.CHATTER: "This needs the chatter role or higher.",
    AccessTier.LEAD: "This needs the lead role or higher.",
    AccessTier.MANAGER: "This needs the manager role or higher.",
    AccessTier.OWNER: "This needs the owner role.",
}
MOVING = {
    "members",
    "creator_chatters",
    "audit_log",
    "command_hashes",
    "cards",
    "sync_runs",
    "score_runs",
}
"""Tables that may change while nobody does anything, or that keep who was met and who looked."""

_MANY = 1_000
_SUBCOMMAND, _GROUP, _MESSAGE_MENU = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Use:
    """A command with sensible options. A name after `@` stands for that person's id, after `#` for the channel's,
    after `&` for the role's. `says`: what the answer to the right person holds.
    """

    needs: AccessTier
    says: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def filled(self, office: Office) -> Json:
        ids = {"@": office.people, "#": office.channels, "&": office.roles}
        return {
            name: ids[value[0]][value[1:]] if isinstance(value, str) and value[0] in ids else value
            for name, value in self.options.items()
        }


@asynccontextmanager
async def somebody_of_zoe(office: Office, needs: AccessTier) -> AsyncIterator[str]:
    """Who has that tier and sees zoe alone. Leads see every channel, so zoe's team are leads for a while."""
    if needs is AccessTier.CHATTER:
        yield "Ben"
        return
    (message, *_) = await office.box.messages("luna")

    async def set_leads(*roles: str) -> None:
        ids = [office.roles[role] for role in roles]
        reply = await office.press("Olga", "luna", message, "fw1:pick_roles:u0:lead", ids, forge=True)
        assert "Roles" in told(reply)

    await set_leads("Lead", "Team zoe")
    try:
        async with office.with_roles("Nia", "Team zoe"):
            yield "Nia"
    finally:
        await set_leads("Lead")


def leaves(commands: Sequence[Json]) -> Iterator[tuple[str, Json]]:
    """(the name as people type it, what is registered) of every command without subcommands."""

    def walk(name: str, one: Json) -> Iterator[tuple[str, Json]]:
        inner = [o for o in one.get("options") or () if o["type"] in (_SUBCOMMAND, _GROUP)]
        if not inner or one.get("type") == _MESSAGE_MENU:
            yield name, one
            return
        for option in inner:
            yield from walk(f"{name} {option['name']}", option)

    for command in commands:
        yield from walk(command["name"], command)


def facts(office: Office) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the bot's database but for the tables of MOVING; of tables with many rows how many they are."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    with closing(ledger.connect(ledger.database(office.box.data))) as db:
        names = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for name in names:
            if name in MOVING or name.startswith(("sqlite_", "alembic_")):
                continue
            count = list(db.execute(f'SELECT COUNT(*) FROM "{name}"'))  # noqa: S608 - its own tables
            many = count[0][0] > _MANY
            found[name] = count if many else sorted(db.execute(f'SELECT * FROM "{name}"'), key=repr)  # noqa: S608
    return found


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The tables that are not as they were."""
    return [name for name in after if before.get(name) != after[name]]


def told(reply: Reply) -> str:
    """The text of a private answer, or of the form that opened."""
    assert reply.error is None, reply
    assert reply.settled, reply
    if reply.modal is not None:
        return str(reply.modal["title"])
    assert reply.messages, reply
    text = "\n".join(text_of(message) for message in reply.messages)
    assert all(is_private(message) for message in reply.messages), text
    assert "Something broke" not in text
    return text
