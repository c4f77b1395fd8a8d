"""The same agency as another vendor shows it, at /ofapi/api/... (api-contracts.md section 5): top fans and single fans.

`v1` answers flat and knows creators by account id; the gateway takes the account id for the model's, and envelopes.
Beyond what is documented: the top list takes 1 to 200; a fan of several pages is shown as on the first of them, for
`fans/info` names no creator; an unknown fan or creator is a 404. Messages and unlocks are left out, as is the status of
a fan of whom the platform shows no details. Only a 200 costs credits.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from aiohttp import web

from bot.sandbox.agency import query as q
from bot.sandbox.agency.answers import ApiError
from bot.sandbox.agency.api import REQUESTS_A_MINUTE, FanApi, Reply
from bot.sandbox.agency.credits import CALL
from bot.sandbox.agency.encode import dollars, dump
from bot.sandbox.agency.model import Creator, Fan
from bot.sandbox.faults import Fault
from bot.sandbox.times import MS_PER_DAY, to_rfc3339

PREFIX = "/ofapi/"
TOP_DEFAULT, TOP_MOST = 50, 200
EXPIRING_MS = 7 * MS_PER_DAY
WINDOW_MS = 30 * MS_PER_DAY
_CODES = {
    400: "BAD_REQUEST",
    401: "INVALID_API_KEY",
    402: "INSUFFICIENT_CREDITS",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    429: "RATE_LIMIT_EXCEEDED",
    500: "INTERNAL_ERROR",
    502: "OF_API_ERROR",
}


class OfApi(FanApi):
    """The other vendor in front of an agency: the same key, credits, limit and faults."""

    def add_routes(self, app: web.Application) -> None:
        app.router.add_route("*", f"{PREFIX}{{tail:.*}}", self._handle)

    def _served(self, request: web.Request, body: bytes) -> Reply:
        if f"Bearer {request.headers.get('X-API-Key')}" != self._authorization:
            return _refusal(401, "Invalid API key")
        wait_s = self._over_limit()
        if wait_s is not None:
            return _refusal(429, "Too many requests", {"Retry-After": str(max(1, round(wait_s)))})
        try:
            return self._answer(request, body)
        except q.InvalidError as problem:
            return _refusal(400, problem.message)
        except ApiError as failure:
            return _refusal(failure.status, str(failure.body["error"]))

    def _answer(self, request: web.Request, body: bytes) -> Reply:
        if request.method != "GET":
            raise _error(405, "Method not allowed")
        parts = request.path.removeprefix(PREFIX).strip("/").split("/")
        now = self._clock.now()
        self._agency.advance(now)
        if self._ledger.balance <= 0:
            raise _error(402, "Insufficient credits")
        match parts:
            case ["api", "v1", "stats", "fans", "top"]:
                return self._paid(self._top(request))
            case ["api", "v1", "fans", "info"]:
                return self._paid(self._info(self._accounts.values(), request, now))
            case ["api", "models", account_id, "fans", "info"]:
                found = self._info([self._creator(account_id)], request, now)
                return self._paid(found, enveloped=True)
        raise _error(404, "Not found")

    def _top(self, request: web.Request) -> dict[str, Any]:
        limit = q.number(request.query, "limit", TOP_DEFAULT, 1, TOP_MOST)
        creator = self._creator(request.query.get("creatorId", ""))
        best = sorted((fan for fan in creator.fans if fan.total_cents > 0), key=_by_spend)[:limit]
        fans = [
            {"id": str(fan.id), "username": fan.username, "totalSpend": dollars(fan.total_cents)}
            for fan in best
        ]
        return {"fans": fans}

    def _info(self, pages: Iterable[Creator], request: web.Request, now: int) -> dict[str, Any]:
        fan_id = request.query.get("fanId", "")
        if not fan_id:
            raise q.InvalidError("fanId", "fanId is required")
        for creator in pages:
            fan = creator.by_id.get(int(fan_id)) if fan_id.isascii() and fan_id.isdecimal() else None
            if fan is not None:
                return fan_object(self._creator(creator.account_id), fan, now)
        raise _error(404, "Fan not found")

    def _creator(self, account_id: str) -> Creator:
        creator = self._accounts.get(account_id)
        if creator is None:
            raise _error(404, "Creator not found")
        if not self._has_session(creator):
            raise _error(502, "The platform did not answer")
        return creator

    def _paid(self, body: dict[str, Any], *, enveloped: bool = False) -> Reply:
        self._ledger.spend(CALL, self._clock.now(), account="", endpoint="fans")
        if not enveloped:
            return Reply(200, dump(body))
        meta = {
            "_credits": {"used": 1, "balance": self._ledger.balance},
            "_rate_limits": {
                "limit_minute": REQUESTS_A_MINUTE,
                "remaining_minute": REQUESTS_A_MINUTE - len(self._recent),
            },
        }
        return Reply(200, dump({"data": body, "_meta": meta}))

    def _spoil(self, fault: Fault) -> Reply | None:
        """As there, in this vendor's words."""
        args = fault.args
        if fault.kind == "status" and "body" not in args:
            return _refusal(int(args.get("code", 500)), "The request failed")
        if fault.kind == "rate_limit":
            retry = args.get("retry_after_s")
            return _refusal(429, "Too many requests", {} if retry is None else {"Retry-After": str(retry)})
        return super()._spoil(fault)


def fan_object(creator: Creator, fan: Fan, now: int) -> dict[str, Any]:
    """A fan. What is not known is left out; some sums are texts, as is seen."""
    body: dict[str, Any] = {"id": str(fan.id)}
    if fan.username is not None:
        body["username"] = fan.username
    if fan.last_activity_at is not None:
        body["lastActiveAt"] = to_rfc3339(fan.last_activity_at)
    body["firstSeenAt"] = to_rfc3339(fan.began_at)
    if not fan.detailed:
        return body
    recent, prior = _windows(creator, fan, now)
    period = fan.period
    return body | {
        "totalSpend": dollars(fan.total_cents),
        "last30dSpend": dollars(recent),
        "prior30dSpend": dollars(prior),
        "subscriptionSpend": dollars(fan.spent.get("subscribes", 0)),
        "ppvSpend": dollars(fan.spent.get("chat_messages", 0)),
        "tipSpend": f"{fan.spent.get('tips', 0) / 100:.2f}",
        "subscriptionStatus": _status(fan, now),
        "subscriptionExpires": None if period is None else to_rfc3339(period.ends_at),
    }


def _status(fan: Fan, now: int) -> str:
    period = fan.period
    if not fan.subscribed or period is None:
        return "expired"
    ends = period.cancelled_at is not None and period.ends_at - now <= EXPIRING_MS
    return "expiring_soon" if ends else "active"


def _windows(creator: Creator, fan: Fan, now: int) -> tuple[int, int]:
    """The spend of the last 30 days and of the 30 before, chargebacks subtracted, in cents."""
    recent = prior = 0
    moves = [(one.at, one.amount_cents) for one in creator.payments if one.fan is fan]
    moves += [(one.at, -one.payment.amount_cents) for one in creator.chargebacks if one.payment.fan is fan]
    for at, cents in moves:
        if now - WINDOW_MS < at <= now:
            recent += cents
        elif now - 2 * WINDOW_MS < at <= now - WINDOW_MS:
            prior += cents
    return recent, prior


def _by_spend(fan: Fan) -> tuple[int, int]:
    return -fan.total_cents, fan.id


def _error(status: int, message: str) -> ApiError:
    return ApiError(status, {"error": message})


def _refusal(status: int, message: str, headers: dict[str, str] | None = None) -> Reply:
    return Reply(status, dump({"error": message, "code": _CODES.get(status, "ERROR")}), headers or {})
