"""/api/webhooks: registering, looking, changing, and sending a delivery again (api-contracts.md 3.1, 3.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bot.sandbox.agency import query as q
from bot.sandbox.agency.answers import ApiError
from bot.sandbox.webhooks.endpoints import Endpoint
from bot.sandbox.webhooks.events import CATALOGUE
from bot.sandbox.webhooks.lane import Lane

MOST_ENDPOINTS = 10
DELIVERIES_DEFAULT, DELIVERIES_PAGE = 20, 100

Body = dict[str, Any]


class WebhookDesk:
    """What the API answers. `open_lane` and `close_lane` begin and end the deliveries to an endpoint."""

    def __init__(
        self,
        lanes: Mapping[int, Lane],
        *,
        now: Callable[[], int],
        open_lane: Callable[[Endpoint, bool], None],
        close_lane: Callable[[int], None],
    ) -> None:
        self._lanes = lanes
        self._now = now
        self._open_lane = open_lane
        self._close_lane = close_lane
        self._made = 0

    def answer(self, method: str, parts: list[str], query: Mapping[str, str], body: bytes) -> Body:
        """What is asked of /api/webhooks and below; `parts` are the rest of the path. Raises ApiError and
        query.InvalidError.
        """
        match method, parts:
            case "GET", []:
                return {"data": [lane.endpoint.to_json() for lane in self._lanes.values()]}
            case "POST", []:
                return {"data": self.register(body).to_json()}
            case "GET", ["events"]:
                return {"data": [{"value": name, "description": told} for name, told in CATALOGUE.items()]}
            case "GET", [number]:
                return {"data": self._lane(number).endpoint.to_json()}
            case "PUT", [number]:
                endpoint = self._lane(number).endpoint
                endpoint.change(body)
                return {"data": endpoint.to_json()}
            case "DELETE", [number]:
                endpoint = self._lane(number).endpoint
                self._close_lane(endpoint.id)
                return {"data": {"id": endpoint.id, "deleted": True}}
            case "GET", [number, "deliveries"]:
                return self._deliveries(self._lane(number), query)
            case "POST", [number, "deliveries", delivery_id, "redeliver"]:
                return self._redeliver(self._lane(number), delivery_id)
        raise ApiError.not_found()

    def register(self, body: bytes, *, tricked: bool = False) -> Endpoint:
        """Take a registration. `tricked`: the agency plays its tricks on it. Raises query.InvalidError."""
        if len(self._lanes) >= MOST_ENDPOINTS:
            raise q.InvalidError("endpoint_url", f"There are {MOST_ENDPOINTS} webhooks already.")
        endpoint = Endpoint(self._made + 1, "", frozenset(), self._now())
        endpoint.change(body, new=True)
        self._made += 1
        self._open_lane(endpoint, tricked)
        return endpoint

    def _lane(self, number: str) -> Lane:
        known = number.isascii() and number.isdecimal() and len(number) < 10
        lane = self._lanes.get(int(number)) if known else None
        if lane is None:
            raise ApiError.not_found()
        return lane

    def _deliveries(self, lane: Lane, query: Mapping[str, str]) -> Body:
        limit = q.number(query, "limit", DELIVERIES_DEFAULT, 1, DELIVERIES_PAGE)
        offset = q.number(query, "offset", 0, 0)
        found = lane.logged()
        shown = [delivery.to_json() for delivery in found[offset : offset + limit]]
        return {"data": {"list": shown, "hasMore": offset + limit < len(found)}}

    def _redeliver(self, lane: Lane, delivery_id: str) -> Body:
        found = next((delivery for delivery in lane.logged() if delivery.id == delivery_id), None)
        if found is None:
            raise ApiError.not_found()
        if lane.closed_to_events:
            state = "paused" if lane.paused else "disabled"
            message = f"The webhook is {state}."
            raise ApiError(409, {"error": {"code": f"webhook_{state}", "message": message}})
        return {"data": lane.redeliver(found).to_json()}
