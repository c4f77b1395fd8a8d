"""The endpoints that are registered, and what may be registered at all."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from bot.sandbox.agency import query as q
from bot.sandbox.times import to_iso
from bot.sandbox.webhooks.events import CATALOGUE

Scope = Literal["global", "inclusive", "exclusive"]
_FIELDS = frozenset({"endpoint_url", "events", "account_scope", "account_ids", "signing_secret", "enabled"})
_MOST_TEXT = 500
_URL = re.compile(r"[!-~]+")


@dataclass(slots=True)
class Endpoint:
    """One registration. `created_at` is agency time; `secret` None = its deliveries are not signed."""

    id: int
    url: str
    events: frozenset[str]
    created_at: int
    scope: Scope = "global"
    account_ids: frozenset[str] = frozenset()
    secret: str | None = field(default=None, repr=False)
    enabled: bool = True

    def wants(self, name: str, account_id: str) -> bool:
        """Whether an event of that name and account goes here."""
        if not self.enabled or name not in self.events:
            return False
        if self.scope == "global":
            return True
        return (account_id in self.account_ids) == (self.scope == "inclusive")

    def change(self, body: bytes, *, new: bool = False) -> None:
        """Take what a POST or PUT says. Raises query.InvalidError and leaves all as it was."""
        given = read(body)
        for name in sorted(set(given) - _FIELDS):
            raise q.InvalidError(name, f"The {name} field is not supported.")
        for name in ("endpoint_url", "events"):
            if new and name not in given:
                raise q.InvalidError(name, f"The {name} field is required.")
        url = loopback_url(given["endpoint_url"]) if "endpoint_url" in given else self.url
        events = _events(given["events"]) if "events" in given else self.events
        scope = _scope(given["account_scope"]) if "account_scope" in given else self.scope
        ids = _texts(given["account_ids"], "account_ids") if "account_ids" in given else self.account_ids
        secret = _secret(given["signing_secret"]) if "signing_secret" in given else self.secret
        enabled = given.get("enabled", self.enabled)
        if not isinstance(enabled, bool):
            raise q.InvalidError("enabled", "The enabled field must be true or false.")
        self.url, self.events, self.scope, self.account_ids = url, events, scope, ids
        self.secret, self.enabled = secret, enabled

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "url": self.url,
            "events": sorted(self.events),
            "account_scope": self.scope,
            "account_ids": sorted(self.account_ids),
            "enabled": self.enabled,
            "has_signing_secret": self.secret is not None,
            "created_at": to_iso(self.created_at),
        }


def read(body: bytes) -> dict[str, Any]:
    """A JSON object. Raises query.InvalidError."""
    try:
        given = json.loads(body)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise q.InvalidError("body", "The body must be a JSON object.")
    return given


def loopback_url(value: object) -> str:
    """An address on this machine, `localhost` spelt out: the sandbox calls no other. Raises
    query.InvalidError.
    """
    wrong = q.InvalidError("endpoint_url", "The endpoint_url field must be http:// on this machine.")
    if not isinstance(value, str) or len(value) > _MOST_TEXT or not _URL.fullmatch(value):
        raise wrong
    try:
        parts = urlsplit(value)
        host, port = parts.hostname, parts.port
        if parts.scheme != "http" or not host or "@" in parts.netloc:
            raise wrong
        address = ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        raise wrong from None
    if not address.is_loopback:
        raise wrong
    shown = f"[{address}]" if address.version == 6 else str(address)
    netloc = shown if port is None else f"{shown}:{port}"
    return parts._replace(netloc=netloc, fragment="").geturl()


def _events(value: object) -> frozenset[str]:
    events = _texts(value, "events")
    if not events:
        raise q.InvalidError("events", "The events field is required.")
    for name in sorted(events - set(CATALOGUE)):
        raise q.InvalidError("events", f"The selected events are invalid: {name[:80]}.")
    return events


def _texts(value: object, name: str) -> frozenset[str]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise q.InvalidError(name, f"The {name} field must be a list of strings.")
    return frozenset(value)


def _scope(value: object) -> Scope:
    scopes: tuple[Scope, ...] = get_args(Scope)
    for scope in scopes:
        if value == scope:
            return scope
    raise q.InvalidError("account_scope", "The selected account_scope is invalid.")


def _secret(value: object) -> str | None:
    if value is not None and not (isinstance(value, str) and 0 < len(value) <= _MOST_TEXT):
        raise q.InvalidError("signing_secret", "The signing_secret field must be a string.")
    return value
