"""The data API over HTTP, at /fanapi/api/... (api-contracts.md sections 1 and 2), with its traps.

An expired session shows as `is_authenticated: false` in /api/accounts, and every endpoint of that account
answers 400 `{"error": {"code": "account_session_expired", ...}}`: neither 401 nor 403, which speak of the
key, nor a 5xx, which would be worth a retry. It lasts until the fault is removed, or as long as the agency's
own story says.

Beyond what is documented: a page of transactions takes 1 to 100; chargebacks without dates are all of them; a
marker is an opaque integer that falls from page to page; what /api/usage/credits has under `data`.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, get_args
from urllib.parse import urlencode

from aiohttp import web

from bot.sandbox.agency import query as q
from bot.sandbox.agency.answers import Answer, ApiError
from bot.sandbox.agency.credits import CALL, Ledger
from bot.sandbox.agency.encode import account_object, dump
from bot.sandbox.agency.endpoints import Endpoints
from bot.sandbox.agency.model import Agency, Creator, Session
from bot.sandbox.agency.paging import PageTrap
from bot.sandbox.faults import Fault, FaultError, Faults
from bot.sandbox.recorder import Recorder

VENDOR_HOST = "https://app.onlyfansapi.com"
PREFIX = "/fanapi/api/"
REQUESTS_A_MINUTE = 5_000
"""The vendor's Pro plan."""
START_BALANCE = 1_000_000
DAILY_LIMIT = 50_000
"""As in the vendor's older examples."""
_WINDOW_S = 60.0
_REQUEST_KINDS = frozenset(
    {"status", "rate_limit", "latency", "reset", "bad_json", "html_403", "credits", "session_expired"}
)
_UNAUTHORIZED = {"error": f"Unauthorized. Go to {VENDOR_HOST}/api-keys to get your API key."}
_EDGE_PAGE = b"<!DOCTYPE html><html><head><title>Access denied</title></head><body>Error 1010</body></html>"


@dataclass(slots=True)
class Usage:
    """What has been asked of the API. `errors`: answers of 400 and above, and connections cut."""

    ledger: Ledger
    calls: int = 0
    errors: int = 0

    @property
    def credits(self) -> int | float:
        return self.ledger.used


@dataclass(slots=True)
class Reply:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    cut: bool = False


class Now(Protocol):
    def now(self) -> int: ...


class Desk(Protocol):
    """Where webhooks are registered: everything at and below /api/webhooks."""

    def answer(self, method: str, parts: list[str], query: Mapping[str, str], body: bytes) -> dict[str, Any]:
        """`parts` are those after `webhooks`. Raises ApiError and query.InvalidError."""
        ...


class FanApi:
    """The vendor's API in front of an agency.

    `wire_speed` shortens the minute of the rate limit; `key` is the only one accepted.
    """

    def __init__(
        self,
        agency: Agency,
        *,
        clock: Now,
        faults: Faults,
        recorder: Recorder,
        key: str,
        seed: int,
        wire_speed: float = 1.0,
        ledger: Ledger | None = None,
        desk: Desk | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger = Ledger(START_BALANCE) if ledger is None else ledger
        self.usage = Usage(self._ledger)
        self._desk = desk
        self._agency = agency
        self._clock = clock
        self._faults = faults
        self._recorder = recorder
        self._authorization = f"Bearer {key}"
        self._window_s = _WINDOW_S / wire_speed
        self._monotonic = monotonic
        self._recent: deque[float] = deque()
        self._expired: dict[str, str] = {}
        self._accounts = {creator.account_id: creator for creator in agency.creators}
        self._endpoints = {
            creator.account_id: Endpoints(creator, seed=seed, take_trap=self._take_trap)
            for creator in agency.creators
        }
        faults.on_plant("fanapi", self._plant, self._unplant)

    def add_routes(self, app: web.Application) -> None:
        app.router.add_route("*", "/fanapi/{tail:.*}", self._handle)

    async def _handle(self, request: web.Request) -> web.Response:
        started = self._monotonic()
        fault = await self._faults.apply("fanapi", request.method, request.path, _REQUEST_KINDS)
        body = await request.read()
        reply = self._reply(request, body, fault)
        self.usage.calls += 1
        self.usage.errors += reply.cut or reply.status >= 400
        self._recorder.record(
            "fanapi",
            request.method,
            request.path_qs,
            headers=request.headers,
            status=None if reply.cut else reply.status,
            ms=(self._monotonic() - started) * 1_000,
            response=reply.body.decode() if reply.status >= 400 else None,
            fault=fault.kind if fault else None,
        )
        if reply.cut and request.transport is not None:
            request.transport.abort()
        return web.Response(
            status=reply.status, body=reply.body, headers=reply.headers, content_type=reply.content_type
        )

    def _reply(self, request: web.Request, body: bytes, fault: Fault | None) -> Reply:
        if fault is not None:
            spoiled = self._spoil(fault)
            if spoiled is not None:
                return spoiled
            if fault.kind == "reset":
                return replace(self._served(request, body), cut=True)
        return self._served(request, body)

    def _served(self, request: web.Request, body: bytes) -> Reply:
        if request.headers.get("Authorization") != self._authorization:
            return Reply(401, dump(_UNAUTHORIZED))
        wait_s = self._over_limit()
        if wait_s is not None:
            headers = {"Retry-After": str(max(1, round(wait_s)))}
            return Reply(429, dump({"message": "Too Many Attempts."}), headers)
        try:
            return self._answer(request, body)
        except q.InvalidError as problem:
            told = {"message": problem.message, "errors": {problem.name: [problem.message]}}
            return Reply(422, dump(told))
        except ApiError as failure:
            return Reply(failure.status, dump(failure.body))

    def _answer(self, request: web.Request, body: bytes) -> Reply:
        if not request.path.startswith(PREFIX):
            raise ApiError.not_found()
        parts = request.path[len(PREFIX) :].strip("/").split("/")
        now = self._clock.now()
        if parts[0] == "webhooks" and self._desk is not None:
            told = self._desk.answer(request.method, parts[1:], request.query, body)
            return Reply(200, dump(told | {"_meta": self._meta(0)}), self._headers(0))
        if request.method != "GET":
            raise ApiError(405, {"message": f"The {request.method} method is not supported for this route."})
        self._agency.advance(now)
        if parts == ["whoami"]:
            return Reply(200, dump(_whoami()), self._headers(0))
        if parts == ["usage", "credits"]:
            used = {"data": self._ledger.usage(request.query, now), "_meta": self._meta(0)}
            return Reply(200, dump(used), self._headers(0))
        if self._ledger.balance <= 0:
            raise ApiError(402, {"error": {"code": "insufficient_credits", "message": "No credits left."}})
        if parts == ["accounts"]:
            return Reply(200, dump(self._list_accounts(request.query)), self._headers(1, endpoint="accounts"))
        creator = self._accounts.get(parts[0])
        if creator is None:
            raise ApiError.account_not_found()
        if not self._has_session(creator):
            message = "The session of this account has expired. Reconnect it."
            raise ApiError(400, {"error": {"code": "account_session_expired", "message": message}})
        answer = self._endpoints[creator.account_id].answer(parts[1:], request.query, now)
        headers = self._headers(1, creator.account_id, _endpoint_name(parts[1:]))
        return Reply(200, self._envelope(creator, parts[1:], answer), headers)

    def _envelope(self, creator: Creator, parts: list[str], answer: Answer) -> bytes:
        pieces = [b'{"data":', answer.data]
        if answer.paginated:
            page = None
            if answer.next_query is not None:
                path = "/".join(["api", creator.account_id, *parts])
                page = f"{VENDOR_HOST}/{path}?{urlencode(answer.next_query)}"
            pieces += [b',"_pagination":', dump({"next_page": page})]
        return b"".join([*pieces, b',"_meta":', dump(self._meta(1)), b"}"])

    def _meta(self, used: int) -> dict[str, Any]:
        limit_day, remaining_day = self._daily_limits()
        return {
            "_credits": {"used": used, "balance": self._ledger.balance, "note": "Always"},
            "_cache": {"is_cached": False, "note": "Cache disabled for this endpoint"},
            "_rate_limits": {
                "limit_minute": REQUESTS_A_MINUTE,
                "remaining_minute": REQUESTS_A_MINUTE - len(self._recent),
                "limit_day": limit_day,
                "remaining_day": remaining_day,
                "notice": "daily limits removed",
            },
        }

    def _daily_limits(self) -> tuple[int | str | None, int | str | None]:
        """None since the vendor has no daily limits any more; a fault brings the old forms back."""
        fault = self._faults.standing("fanapi", "daily_limits")
        if fault is None:
            return None, None
        limit, left = DAILY_LIMIT, DAILY_LIMIT - self.usage.calls
        return (str(limit), str(left)) if fault.args.get("as") == "string" else (limit, left)

    def _headers(self, used: int, account: str = "", endpoint: str = "") -> dict[str, str]:
        if used:
            self._ledger.spend(used * CALL, self._clock.now(), account=account, endpoint=endpoint)
        return {
            "X-OFAPI-Credits-Used": str(used),
            "X-OFAPI-Credits-Balance": str(self._ledger.balance),
            "X-OFAPI-Is-Cached": "false",
            "X-Rate-Limit-Limit-Minute": str(REQUESTS_A_MINUTE),
            "X-Rate-Limit-Remaining-Minute": str(REQUESTS_A_MINUTE - len(self._recent)),
        }

    def _over_limit(self) -> float | None:
        """Seconds until the next request may come; None = this one may, and is counted."""
        now = self._monotonic()
        while self._recent and self._recent[0] <= now - self._window_s:
            self._recent.popleft()
        if len(self._recent) >= REQUESTS_A_MINUTE:
            return self._recent[0] + self._window_s - now
        self._recent.append(now)
        return None

    def _list_accounts(self, query: Mapping[str, str]) -> list[dict[str, Any]]:
        """A bare array; each filter is an exact match."""
        entries = [
            account_object(creator, authenticated=self._has_session(creator))
            for creator in self._agency.creators
        ]
        for name in ("onlyfans_id", "onlyfans_username", "onlyfans_email"):
            if name in query:
                entries = [entry for entry in entries if str(entry[name]) == query[name]]
        return entries

    def _has_session(self, creator: Creator) -> bool:
        return creator.connected and creator.account_id not in self._expired.values()

    def _spoil(self, fault: Fault) -> Reply | None:
        """The answer a fault gives instead of ours; None = it only changes a condition, or delays."""
        args = fault.args
        if fault.kind == "status":
            code = int(args.get("code", 500))
            return Reply(code, dump(args.get("body", {"message": "Server Error"})))
        if fault.kind == "rate_limit":
            retry = args.get("retry_after_s")
            headers = {} if retry is None else {"Retry-After": str(retry)}
            return Reply(429, dump({"message": "Too Many Attempts."}), headers)
        if fault.kind == "reset" and fault.args.get("when", "before") == "before":
            return Reply(500, b"", cut=True)
        if fault.kind == "bad_json":
            return Reply(200, b'{"data":{"list":[{"id":1000001,"user')
        if fault.kind == "html_403":
            return Reply(403, _EDGE_PAGE, content_type="text/html")
        if fault.kind in ("credits", "session_expired"):
            try:
                self._plant(fault)
            except FaultError as problem:
                return Reply(500, dump({"message": f"planted fault {fault.id}: {problem}"}))
        return None

    def _plant(self, fault: Fault) -> bool:
        """Change a condition at once; False = the fault waits for requests. Raises FaultError for bad
        arguments.
        """
        if fault.kind == "credits":
            balance = fault.args.get("balance", 0)
            if not isinstance(balance, int):
                raise FaultError("args", "balance is a whole number")
            self._ledger.refill(balance)
            return True
        if fault.kind == "session_expired":
            wanted = fault.args.get("account")
            for creator in self._agency.creators:
                if wanted in (creator.account_id, creator.name):
                    self._agency.advance(self._clock.now())
                    self._expired[fault.id] = creator.account_id
                    creator.tell(Session(self._clock.now(), False))
                    return True
            raise FaultError("args", f"no account is {wanted}")
        return False

    def _unplant(self, fault: Fault) -> None:
        account = self._expired.pop(fault.id, None)
        if account is not None and self._has_session(self._accounts[account]):
            self._accounts[account].tell(Session(self._clock.now(), True))

    def _take_trap(self, path: str) -> str | None:
        fault = self._faults.take("fanapi", "GET", PREFIX + path, set(get_args(PageTrap)))
        return fault.kind if fault else None


def _endpoint_name(parts: list[str]) -> str:
    """What usage is counted under: the path without its ids."""
    return "/".join("{id}" if part.isdecimal() else part for part in parts)


def _whoami() -> dict[str, Any]:
    return {
        "api_key": {
            "name": "Sandbox",
            "created_at": "2026-01-01T00:00:00.000000Z",
            "last_used_at": None,
        },
        "team": {"name": "Sample agency", "slug": "sample-agency"},
    }
