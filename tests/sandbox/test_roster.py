"""Who works at the sandbox's agency."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bot.sandbox.agency.model import Creator
from bot.sandbox.roster import DiscordIds, build_guild, write_roster
from bot.sandbox.spec import GuildSpec
from bot.sandbox.staff import Staff, history_staff, sample_staff

CREATORS = [Creator(f"acct_creator-{n}", n, f"creator-{n}", f"creator_{n}", 0, 0) for n in range(1, 5)]
PAGES = [
    Creator(f"acct_{name}", n, name, name, 0, 0)
    for n, name in enumerate(("amber", "vivian-vip", "freya-free", "nova-new"))
]
TEAM_1, TEAM_2 = {"amber", "nova-new"}, {"vivian-vip", "freya-free"}
NOTICES = "fanwatch-notices"


def sees(guild: GuildSpec, name: str) -> set[str]:
    roles = next(set(member.roles) for member in guild.members if member.name == name)
    return {
        channel.name
        for channel in guild.channels
        if channel.visible_to_roles is None or roles & set(channel.visible_to_roles)
    }


def written(folder: Path, creators: Sequence[Creator], staff: Staff) -> tuple[dict[str, Any], DiscordIds]:
    guild = build_guild(creators, staff)
    ids = DiscordIds(
        guild_id="1",
        roles={role.name: str(100 + n) for n, role in enumerate(guild.roles)},
        members={member.name: str(200 + n) for n, member in enumerate(guild.members)},
        channels={channel.name: str(300 + n) for n, channel in enumerate(guild.channels)},
    )
    write_roster(folder / "roster.json", creators, staff, ids)
    assert list(folder.iterdir()) == [folder / "roster.json"]
    return json.loads((folder / "roster.json").read_text()), ids


def test_a_chatter_of_a_history_sees_only_the_channels_of_own_creators() -> None:
    guild = build_guild(CREATORS, history_staff(CREATORS))
    every = {"creator-1", "creator-2", "creator-3", "creator-4", NOTICES}
    assert [member.name for member in guild.members] == ["Ana", "Ben", "Lea", "Max", "Olga", "Nia"]
    assert sees(guild, "Ana") == {"creator-1", "creator-2"}
    assert sees(guild, "Ben") == {"creator-3", "creator-4"}
    assert sees(guild, "Lea") == sees(guild, "Max") == sees(guild, "Olga") == every
    assert sees(guild, "Nia") == set()
    assert guild.owner == "Olga"
    assert {role for member in guild.members for role in member.roles} <= {role.name for role in guild.roles}


def test_the_roster_file_of_a_history(tmp_path: Path) -> None:
    body, ids = written(tmp_path, CREATORS, history_staff(CREATORS))
    assert (body["guild_id"], body["notice_channel_id"]) == ("1", ids.channels[NOTICES])
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
    assert body["timezone"] == "UTC"
    assert "shifts" not in body


def test_a_team_of_the_sample_agency_sees_its_creators_only() -> None:
    guild = build_guild(PAGES, sample_staff(PAGES))
    assert len(guild.members) == 11
    for name in ("Ana", "Carla", "Jun"):
        assert sees(guild, name) == TEAM_1
    for name in ("Ben", "Diego", "Rosa"):
        assert sees(guild, name) == TEAM_2
    assert sees(guild, "Lea") == TEAM_1 | {NOTICES}
    assert sees(guild, "Luis") == TEAM_2 | {NOTICES}
    assert sees(guild, "Max") == sees(guild, "Olga") == TEAM_1 | TEAM_2 | {NOTICES}
    assert sees(guild, "Nia") == set()
    assert guild.owner == "Olga"
    assert {role for member in guild.members for role in member.roles} <= {role.name for role in guild.roles}


def test_the_roster_file_of_the_sample_agency(tmp_path: Path) -> None:
    body, ids = written(tmp_path, PAGES, sample_staff(PAGES))
    name_of = {number: name for name, number in ids.members.items()}
    assert body["timezone"] == "Europe/Lisbon"
    assert {
        creator["name"]: (name_of[creator["default_chatter"]], name_of[creator["lead"]])
        for creator in body["creators"]
    } == {
        "amber": ("Ana", "Lea"),
        "nova-new": ("Ana", "Lea"),
        "vivian-vip": ("Ben", "Luis"),
        "freya-free": ("Ben", "Luis"),
    }
    team_1, team_2 = ["acct_amber", "acct_nova-new"], ["acct_vivian-vip", "acct_freya-free"]
    assert {
        name_of[member["user_id"]]: (member["tier"], member["creators"]) for member in body["members"]
    } == {
        **dict.fromkeys(("Ana", "Carla", "Jun"), ("chatter", team_1)),
        **dict.fromkeys(("Ben", "Diego", "Rosa"), ("chatter", team_2)),
        "Lea": ("lead", team_1),
        "Luis": ("lead", team_2),
        "Max": ("manager", []),
        "Olga": ("owner", []),
    }
    assert {
        "creator": "acct_vivian-vip",
        "user_id": ids.members["Diego"],
        "days": [1, 2, 3, 4, 5, 6, 7],
        "from": "11:00",
        "to": "19:00",
        "zone": "America/Bogota",
    } in body["shifts"]


def test_shifts_of_eight_hours_cover_the_day_where_there_are_any(tmp_path: Path) -> None:
    body, ids = written(tmp_path, PAGES, sample_staff(PAGES))
    name_of = {number: name for name, number in ids.members.items()}
    on_duty: dict[str, list[tuple[datetime, str]]] = {}
    for shift in body["shifts"]:
        zone = ZoneInfo(shift["zone"])
        start, end = time.fromisoformat(shift["from"]), time.fromisoformat(shift["to"])
        # A `to` that is not after `from` would be on the day after.
        days = 0 if end > start else 1
        for day in (datetime(2026, 3, 1, tzinfo=zone), datetime(2026, 3, 2, tzinfo=zone)):
            assert day.isoweekday() in shift["days"]
            begins = datetime.combine(day, start, zone).astimezone(UTC)
            ends = datetime.combine(day + timedelta(days=days), end, zone).astimezone(UTC)
            assert ends - begins == timedelta(hours=8)
            hours = [begins + timedelta(hours=n) for n in range(8)]
            on_duty.setdefault(shift["creator"], []).extend(
                (hour, name_of[shift["user_id"]]) for hour in hours
            )
    assert set(on_duty) == {"acct_amber", "acct_vivian-vip", "acct_freya-free"}
    midnight = datetime(2026, 3, 2, tzinfo=UTC)
    for account, hours in on_duty.items():
        day = sorted((hour, name) for hour, name in hours if hour.date() == midnight.date())
        assert [hour for hour, _ in day] == [midnight + timedelta(hours=n) for n in range(24)]
        assert day[8][1] == ("Ana" if account == "acct_amber" else "Ben"), "on duty at the start"
