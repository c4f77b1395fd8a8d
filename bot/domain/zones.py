"""Names of time zones as people type them."""

from __future__ import annotations

from datetime import UTC, datetime
from difflib import get_close_matches
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

_TYPED_CHARS = 100
_CLOSE = 3


@cache
def _names() -> dict[str, str]:
    """Every zone by its name without case; "localtime" is no place."""
    return {name.casefold(): name for name in sorted(available_timezones()) if name != "localtime"}


def find_zone(typed: str) -> str | None:
    """The IANA name of what was typed, case and blanks aside; None: there is no such zone."""
    return _names().get(_key(typed))


def close_zones(typed: str) -> list[str]:
    """At most three zones whose name, or whose city, is like what was typed; the likeliest first."""
    key = _key(typed)
    if not key:
        return []
    names = _names()
    cities: dict[str, str] = {}
    for folded, name in names.items():
        # The first in the alphabet of continents is as good as any: both are offered by their whole names.
        cities.setdefault(folded.rpartition("/")[2], name)
    city = key.rpartition("/")[2]
    found = [cities[match] for match in get_close_matches(city, cities, _CLOSE, 0.75)]
    found += [names[match] for match in get_close_matches(key, names, _CLOSE, 0.6)]
    return list(dict.fromkeys(found))[:_CLOSE]


def zones_like(typed: str, limit: int) -> list[str]:
    """The zones with what is typed in their names, those that begin with it first; the close ones where none is."""
    key = _key(typed)
    found = [name for folded, name in _names().items() if key in folded]
    found.sort(key=lambda name: (not name.casefold().rpartition("/")[2].startswith(key), name))
    return (found or close_zones(typed))[:limit]


def local_time(zone: str, at_ms: int) -> datetime:
    """The wall clock of the zone at an instant. Raises KeyError for a zone that is none."""
    return datetime.fromtimestamp(at_ms / 1_000, UTC).astimezone(ZoneInfo(zone))


def _key(typed: str) -> str:
    return "_".join(typed[:_TYPED_CHARS].split()).casefold()


def local_day(now_ms: int, zone: str) -> str:
    """The date in a named zone, YYYY-MM-DD; an empty zone, not chosen yet, counts as UTC."""
    return local_time(zone or "UTC", now_ms).date().isoformat()
