"""The control call for what the platform itself would see: a member of staff writes to a fan there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web

from bot.sandbox.agency.model import Creator
from bot.sandbox.agency.sample import SampleAgency
from bot.sandbox.clock import error, read_object

_FIELDS = frozenset({"user", "channel", "creator", "fan"})


@dataclass(frozen=True, slots=True)
class Directory:
    """Who and what a call may name: ids and names of staff, and accounts by id and name of their channel."""

    staff: frozenset[str]
    account_of_channel: Mapping[str, str]
    accounts: frozenset[str]

    @classmethod
    def of(
        cls, staff: Mapping[str, str], channels: Mapping[str, str], creators: Sequence[Creator]
    ) -> Directory:
        """`staff` and `channels` are Discord ids by name."""
        account_of_channel = {creator.name: creator.account_id for creator in creators}
        account_of_channel |= {channels[creator.name]: creator.account_id for creator in creators}
        return cls(
            frozenset({*staff, *staff.values()}),
            account_of_channel,
            frozenset(creator.account_id for creator in creators),
        )


class Now(Protocol):
    def now(self) -> int: ...


class ContactApi:
    """POST /sandbox/api/contact. `agency` None: a replayed history, whose fans cannot be written to.

    The answer says nothing of what the contact did: nobody at an agency could tell.
    """

    def __init__(self, agency: SampleAgency | None, *, clock: Now, directory: Directory) -> None:
        self._agency = agency
        self._clock = clock
        self._directory = directory

    def add_routes(self, app: web.Application) -> None:
        app.router.add_post("/sandbox/api/contact", self._contact)

    async def _contact(self, request: web.Request) -> web.Response:
        body = await read_object(request)
        if body is None:
            return error(400, "bad_request", "the body is no JSON object", None)
        unknown = sorted(set(body) - _FIELDS)
        if unknown:
            return error(400, "bad_request", f"no such field: {unknown[0]}", unknown[0])
        if ("channel" in body) == ("creator" in body):
            return error(400, "bad_request", "either channel or creator is needed", "channel")
        told: dict[str, str] = {}
        for name, value in body.items():
            text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
            if not isinstance(text, str) or not text:
                return error(400, "bad_request", f"{name} is a text", name)
            told[name] = text
        for name in ("user", "fan"):
            if name not in told:
                return error(400, "bad_request", f"{name} is missing", name)
        if self._agency is None:
            return error(409, "replayed_history", "nobody can be written to in a replayed history", None)
        return self._write(self._agency, told)

    def _write(self, agency: SampleAgency, told: Mapping[str, str]) -> web.Response:
        if told["user"] not in self._directory.staff:
            return error(404, "unknown_user", f"no member of staff is {told['user']}", "user")
        if "channel" in told:
            account = self._directory.account_of_channel.get(told["channel"])
            if account is None:
                return error(404, "unknown_channel", f"no creator's channel is {told['channel']}", "channel")
        else:
            account = told["creator"]
            if account not in self._directory.accounts:
                return error(404, "unknown_creator", f"no creator's account is {account}", "creator")
        fan = told["fan"]
        # int() takes digits of every script, and more of them than any id has is no id.
        if not (fan.isascii() and fan.isdecimal() and len(fan) < 20):
            return error(400, "bad_request", "fan is a platform id, a whole number", "fan")
        try:
            agency.contact(account, int(fan), self._clock.now())
        except KeyError:
            return error(404, "unknown_fan", f"she has no fan {fan}", "fan")
        return web.json_response({"contacted": True})
