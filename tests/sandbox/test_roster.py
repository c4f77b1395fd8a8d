"""Who works at the sandbox's agency."""

from __future__ import annotations

import json
from pathlib import Path

from bot.sandbox.agency.model import Creator
from bot.sandbox.roster import DiscordIds, build_guild, write_roster

CREATORS = [Creator(f"acct_creator-{n}", n, f"creator-{n}", f"creator_{n}", 0, 0) for n in range(1, 5)]


def test_a_chatter_sees_only_the_channels_of_own_creators() -> None:
    guild = build_guild(CREATORS)
    roles = {member.name: set(member.roles) for member in guild.members}

    def sees(name: str) -> set[str]:
        return {
            channel.name
            for channel in guild.channels
            if channel.visible_to_roles is None or roles[name] & set(channel.visible_to_roles)
        }

    every = {"creator-1", "creator-2", "creator-3", "creator-4", "fanwatch-notices"}
    assert sees("Ana") == {"creator-1", "creator-2"}
    assert sees("Ben") == {"creator-3", "creator-4"}
    assert sees("Lea") == sees("Max") == sees("Olga") == every
    assert sees("Nia") == set()
    assert guild.owner == "Olga"
    assert {role for member in guild.members for role in member.roles} <= {role.name for role in guild.roles}


def test_the_roster_file(tmp_path: Path) -> None:
    guild = build_guild(CREATORS)
    ids = DiscordIds(
        guild_id="1",
        roles={role.name: str(100 + n) for n, role in enumerate(guild.roles)},
        members={member.name: str(200 + n) for n, member in enumerate(guild.members)},
        channels={channel.name: str(300 + n) for n, channel in enumerate(guild.channels)},
    )
    write_roster(tmp_path / "roster.json", CREATORS, ids)
    body = json.loads((tmp_path / "roster.json").read_text())
    assert (body["guild_id"], body["notice_channel_id"]) == ("1", ids.channels["fanwatch-notices"])
    assert {(entry["role_id"], entry["tier"]) for entry in body["tiers"]} == {
        (ids.roles[name], name.lower()) for name in ("Chatter", "Lead", "Manager", "Owner")
    }
    assert [(entry["user_id"], entry["tier"], entry["creators"]) for entry in body["members"]] == [
        (ids.members["Ana"], "chatter", ["acct_creator-1", "acct_creator-2"]),
        (ids.members["Ben"], "chatter", ["acct_creator-3", "acct_creator-4"]),
        (ids.members["Lea"], "lead", [creator.account_id for creator in CREATORS]),
        (ids.members["Max"], "manager", []),
        (ids.members["Olga"], "owner", []),
    ]
    assert body["creators"][2] == {
        "account_id": "acct_creator-3",
        "name": "creator-3",
        "channel_id": ids.channels["creator-3"],
        "default_chatter": ids.members["Ben"],
        "lead": ids.members["Lea"],
    }
    assert list(tmp_path.iterdir()) == [tmp_path / "roster.json"]
