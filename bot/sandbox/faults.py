"""Faults that the control API plants: what goes wrong, for which requests, how often."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Final

TARGETS: Final = ("discord", "fanapi")

KINDS: Final = {
    "discord": frozenset(
        {
            "status",
            "rate_limit",
            "latency",
            "reset",
            "bad_json",
            "gateway_drop",
            "forbid",
            "delete",
            "forget_nonces",
            "old_edit_limit",
        }
    ),
    "fanapi": frozenset(
        {
            "status",
            "rate_limit",
            "latency",
            "reset",
            "bad_json",
            "html_403",
            "short_page",
            "empty_page",
            "shift_page",
            "shrink_page",
            "daily_limits",
            "credits",
            "session_expired",
            "webhook",
        }
    ),
}


WEBHOOK_FAULTS: Final = ("duplicate", "reorder", "bad_signature", "drop", "no_user", "no_key")
"""What can go wrong with the delivery of an event; a fault of kind `webhook` chooses one."""


def _is_amount(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_status(value: Any) -> bool:
    return isinstance(value, int) and 100 <= value <= 599


def _is_close_code(value: Any) -> bool:
    return isinstance(value, int) and 1000 <= value <= 4999


def _is_moment(value: Any) -> bool:
    return value in ("before", "after")


def _is_form(value: Any) -> bool:
    return value in ("int", "string")


_ARGS: Final[dict[str, dict[str, Callable[[Any], bool]]]] = {
    "status": {"code": _is_status},
    "rate_limit": {"retry_after_s": _is_amount, "global": _is_flag},
    "latency": {"ms": _is_amount},
    "reset": {"when": _is_moment},
    "gateway_drop": {"code": _is_close_code, "resumable": _is_flag},
    "daily_limits": {"as": _is_form},
    "webhook": dict.fromkeys(WEBHOOK_FAULTS, _is_flag),
    "old_edit_limit": {"edits": _is_amount, "window_s": _is_amount, "age_s": _is_amount},
}
"""What an argument must be, by kind; those that name something are checked by who performs the fault."""


@dataclass(slots=True)
class Fault:
    """One planted fault.

    Attributes:
        method: HTTP method it is for; None = any.
        path: part of the request path, or a pattern with `*`; None = any. For `webhook` the event's name, which
            goes by `event` outside.
        after: how many matching requests pass unharmed first.
        count: how often it then happens; 0 or less = until removed.
        fired: how often it happened.
    """

    id: str
    target: str
    kind: str
    method: str | None
    path: str | None
    after: int
    count: int
    args: dict[str, Any]
    fired: int = 0
    passed: int = field(default=0, repr=False)

    @property
    def spent(self) -> bool:
        return 0 < self.count <= self.fired

    def matches(self, method: str, path: str) -> bool:
        if self.method is not None and self.method != method.upper():
            return False
        if self.path is None:
            return True
        if "*" in self.path:
            return fnmatchcase(path.partition("?")[0], f"*{self.path.lstrip('*')}")
        return self.path in path

    def to_json(self) -> dict[str, Any]:
        path = "event" if self.kind == "webhook" else "path"
        match = {key: value for key, value in (("method", self.method), (path, self.path)) if value}
        return {
            "id": self.id,
            "target": self.target,
            "kind": self.kind,
            "match": match,
            "after": self.after,
            "count": self.count,
            "args": self.args,
            "fired": self.fired,
        }


class FaultError(ValueError):
    """A fault that cannot be planted; `field` names what is wrong with it."""

    def __init__(self, field_name: str, message: str) -> None:
        super().__init__(message)
        self.field = field_name


Planted = Callable[[Fault], bool]
Removed = Callable[[Fault], None]


class Faults:
    """All planted faults of both targets, in the order they were planted.

    A part of the sandbox that performs faults of its own accord (deleting a message, dropping the gateway)
    hears of each new one, and of its removal, through `on_plant`.
    """

    def __init__(self) -> None:
        self._faults: dict[str, Fault] = {}
        self._made = 0
        self._planted: dict[str, Planted] = {}
        self._removed: dict[str, Removed] = {}

    def on_plant(self, target: str, planted: Planted, removed: Removed | None = None) -> None:
        """`planted(fault)` does at once what the fault says: True; False = it waits for requests."""
        self._planted[target] = planted
        if removed is not None:
            self._removed[target] = removed

    def add(
        self,
        target: str,
        kind: str,
        *,
        match: dict[str, Any] | None = None,
        after: int = 0,
        count: int = 1,
        args: dict[str, Any] | None = None,
    ) -> Fault:
        """Plants a fault. Raises FaultError where the target, the kind or its arguments are unknown."""
        if target not in KINDS:
            raise FaultError("target", f"no such target: {target}")
        if kind not in KINDS[target]:
            raise FaultError("kind", f"no such kind for {target}: {kind}")
        match = match or {}
        path = "event" if kind == "webhook" else "path"
        known = {path} if kind == "webhook" else {"method", path}
        if unknown := set(match) - known:
            told = f"matches by {' and '.join(sorted(known))} only, not {', '.join(sorted(unknown))}"
            raise FaultError("match", told)
        for name, is_right in _ARGS.get(kind, {}).items():
            given = (args or {}).get(name)
            if given is not None and not is_right(given):
                raise FaultError("args", f"{name} of {kind} cannot be {given!r}")
        if kind == "webhook" and sum(bool((args or {}).get(name)) for name in WEBHOOK_FAULTS) != 1:
            raise FaultError("args", f"one of {', '.join(WEBHOOK_FAULTS)} is true")
        self._made += 1
        fault = Fault(
            id=f"f{self._made}",
            target=target,
            kind=kind,
            method=str(match["method"]).upper() if match.get("method") else None,
            path=str(match[path]) if match.get(path) else None,
            after=after,
            count=count,
            args=args or {},
        )
        planted = self._planted.get(target)
        at_once = not match and after == 0 and planted is not None and planted(fault)
        fault.fired += at_once
        self._faults[fault.id] = fault
        return fault

    def all(self) -> list[Fault]:
        return list(self._faults.values())

    def remove(self, fault_id: str) -> bool:
        """False = there was none of that id."""
        fault = self._faults.pop(fault_id, None)
        if fault is None:
            return False
        removed = self._removed.get(fault.target)
        if removed is not None:
            removed(fault)
        return True

    def clear(self) -> None:
        for fault_id in list(self._faults):
            self.remove(fault_id)

    def standing(self, target: str, kind: str) -> Fault | None:
        """The newest fault of a kind that is a condition rather than an event, whatever its count."""
        found = [fault for fault in self._faults.values() if fault.target == target and fault.kind == kind]
        return found[-1] if found else None

    def take(
        self, target: str, method: str, path: str, kinds: frozenset[str] | set[str] | None = None
    ) -> Fault | None:
        """The first live fault for this request, counted as fired; None = the request is to go well.

        `kinds` limits the look to those kinds; the others neither fire nor count the request.
        """
        for fault in self._faults.values():
            if fault.target != target or fault.spent or (kinds is not None and fault.kind not in kinds):
                continue
            if not fault.matches(method, path):
                continue
            if fault.passed < fault.after:
                fault.passed += 1
                continue
            fault.fired += 1
            return fault
        return None

    async def apply(
        self, target: str, method: str, path: str, kinds: frozenset[str] | set[str] | None = None
    ) -> Fault | None:
        """As `take`, with latency waited out: the first fault of another kind, or the latency alone."""
        slow = None
        if kinds is None or "latency" in kinds:
            slow = self.take(target, method, path, {"latency"})
            if slow is not None:
                await asyncio.sleep(float(slow.args.get("ms", 0)) / 1000)
        others = (KINDS[target] if kinds is None else kinds) - {"latency"}
        return self.take(target, method, path, others) or slow
