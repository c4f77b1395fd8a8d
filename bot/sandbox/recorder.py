"""Every request the bot makes, as JSON lines, with every token left out."""

from __future__ import annotations

import json
import os
import re
import tempfile
import weakref
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from .spec import Host

REDACTED: Final = "<redacted>"

_SECRET_HEADERS: Final = frozenset({"authorization", "cookie", "x-api-key", "proxy-authorization"})
_SECRET_KEYS: Final = frozenset(
    {"token", "access_token", "refresh_token", "api_key", "secret", "signing_secret"}
)
_PATH_TOKENS: Final = (
    re.compile(r"(/interactions/\d+/)([^/?]+)"),
    re.compile(r"(/webhooks/\d+/)([^/?]+)"),
)
_OLD_EDIT: Final = 30046


def redact_path(path: str) -> str:
    for pattern in _PATH_TOKENS:
        path = pattern.sub(rf"\1{REDACTED}", path)
    return path


def redact_headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: REDACTED if name.lower() in _SECRET_HEADERS else value for name, value in headers.items()}


def redact_body(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: REDACTED if key in _SECRET_KEYS and isinstance(inner, str) else redact_body(inner)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [redact_body(inner) for inner in value]
    return value


@dataclass(frozen=True, slots=True)
class Counters:
    """What the headless report says about requests. `rejections`: Discord's 4xx other than 429."""

    discord_requests: int
    fanapi_requests: int
    rejections: int
    http_429: int
    old_edit_30046: int


class Recorder:
    """Keeps requests in an unnamed temporary file, so that memory stays flat however long the sandbox runs.

    The file goes with the recorder; `close` is needed only to be rid of it sooner.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self._fd, path = tempfile.mkstemp(prefix="requests-")
        os.unlink(path)
        self._finalizer = weakref.finalize(self, os.close, self._fd)
        self._starts = array("Q")
        self._ends = array("Q")
        self._discord = bytearray()
        self._counts = {"discord": 0, "fanapi": 0}
        self._rejections = 0
        self._http_429 = 0
        self._old_edits = 0

    def close(self) -> None:
        self._finalizer()

    @property
    def last(self) -> int:
        """The number of the last request; 0 = none yet."""
        return len(self._starts)

    def record(
        self,
        target: str,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        status: int | None,
        ms: float,
        json_body: Any = None,
        files: list[dict[str, Any]] | None = None,
        form: dict[str, Any] | None = None,
        reason: str | None = None,
        response: Any = None,
        fault: str | None = None,
    ) -> int:
        """Adds one request and gives its number, from 1.

        Args:
            path: as received, with the query; tokens in it are taken out here.
            status: None = the connection was cut without an answer.
            ms: from the first byte read to the answer ready.
            files: name, filename, content_type and size of each part of a multipart body.
            form: the other parts of a form.
            fault: the kind of fault that fired on it.
        """
        number = self.last + 1
        line = {
            "n": number,
            "at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "agency_at": self._host.agency_now(),
            "cycle": self._host.cycle(),
            "target": target,
            "method": method,
            "path": redact_path(path),
            "headers": redact_headers(headers),
            "json": redact_body(json_body),
            "files": files or [],
            "form": redact_body(form or {}),
            "reason": reason,
            "status": status,
            "response": redact_body(response),
            "ms": round(ms, 3),
            "fault": fault,
        }
        self._count(target, status, response)
        data = json.dumps(line, ensure_ascii=False, separators=(",", ":"), default=str).encode() + b"\n"
        start = self._ends[-1] if self._ends else 0
        os.pwrite(self._fd, data, start)
        self._starts.append(start)
        self._ends.append(start + len(data))
        self._discord.append(target == "discord")
        return number

    def lines(self, *, since: int = 0, target: str | None = None) -> Iterator[bytes]:
        """JSON lines, each with its newline, of the requests numbered above `since`."""
        for index in range(max(since, 0), self.last):
            if target is not None and (target == "discord") != bool(self._discord[index]):
                continue
            start = self._starts[index]
            yield os.pread(self._fd, self._ends[index] - start, start)

    def write(self, file: Path, *, target: str | None = "discord") -> None:
        with file.open("wb") as out:
            out.writelines(self.lines(target=target))

    def counters(self) -> Counters:
        return Counters(
            discord_requests=self._counts["discord"],
            fanapi_requests=self._counts["fanapi"],
            rejections=self._rejections,
            http_429=self._http_429,
            old_edit_30046=self._old_edits,
        )

    def _count(self, target: str, status: int | None, response: Any) -> None:
        self._counts[target] += 1
        if target != "discord" or status is None:
            return
        if isinstance(response, dict) and response.get("code") == _OLD_EDIT:
            self._old_edits += 1
        if status == 429:
            self._http_429 += 1
        elif 400 <= status < 500:
            self._rejections += 1
