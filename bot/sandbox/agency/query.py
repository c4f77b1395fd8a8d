"""Reading the query of a request to the data API: limits, dates and filters, refused with 422 as the vendor
does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from bot.sandbox.agency.model import Fan
from bot.sandbox.times import MS_PER_DAY, MS_PER_S


class InvalidError(Exception):
    """A parameter the API refuses."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name
        self.message = message


def number(query: Mapping[str, str], name: str, default: int, lowest: int, highest: int | None = None) -> int:
    """A whole number within its bounds. Raises InvalidError."""
    text = query.get(name)
    if text is None:
        return default
    try:
        value = int(text)
    except ValueError:
        raise InvalidError(name, f"The {name} field must be an integer.") from None
    if value < lowest:
        raise InvalidError(name, f"The {name} field must be at least {lowest}.")
    if highest is not None and value > highest:
        raise InvalidError(name, f"The {name} field must not be greater than {highest}.")
    return value


def choice(query: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> str | None:
    """One of the allowed words; None = not given. Raises InvalidError."""
    text = query.get(name)
    if text is not None and text not in allowed:
        raise InvalidError(name, f"The selected {name} is invalid.")
    return text


def moment(query: Mapping[str, str], name: str, *, end_of_day: bool = False) -> int | None:
    """`YYYY-MM-DD` or `YYYY-MM-DD HH:MM:SS`, UTC; a bare end date takes in its whole day. Raises
    InvalidError.
    """
    text = query.get(name)
    if text is None:
        return None
    for form in ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S"):
        try:
            at = datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
        value = int(at.timestamp()) * MS_PER_S
        return value + MS_PER_DAY - 1 if end_of_day and len(text) == 10 else value
    raise InvalidError(name, f"The {name} field must match the format Y-m-d or Y-m-d H:i:s.")


def span(query: Mapping[str, str]) -> tuple[int, int] | None:
    """`start_date` and `end_date`, both or none, as [from, to]. Raises InvalidError."""
    start, end = moment(query, "start_date"), moment(query, "end_date", end_of_day=True)
    if start is None and end is None:
        return None
    if start is None:
        raise InvalidError("start_date", "The start_date field is required when end_date is present.")
    if end is None:
        raise InvalidError("end_date", "The end_date field is required when start_date is present.")
    return start, end


def fan_filter(query: Mapping[str, str], now: int) -> Callable[[Fan], bool] | None:
    """What `query`, `type` and `filter[...]` ask for; None = every fan. Raises Invalid, for dots instead of
    brackets too.
    """
    tests: list[Callable[[Fan], bool]] = []
    for key, text in query.items():
        if key.startswith("filter."):
            raise InvalidError(key, f"The {key} field is not supported, use brackets.")
        if key.startswith("filter["):
            tests.append(_bracket(key, text, now))
    words = query.get("query", "").casefold()
    if words:
        tests.append(lambda fan: words in f"{fan.username or ''} {fan.name or ''}".casefold())
    state = choice(query, "type", ("active", "expired", "all"))
    if state in ("active", "expired"):
        tests.append(lambda fan: fan.subscribed == (state == "active"))
    if not tests:
        return None
    return lambda fan: all(test(fan) for test in tests)


def _bracket(key: str, text: str, now: int) -> Callable[[Fan], bool]:
    try:
        value = float(text)
    except ValueError:
        raise InvalidError(key, f"The {key} field must be a number.") from None
    if key == "filter[total_spent]":
        return lambda fan: fan.total_cents >= value * 100
    if key == "filter[max_total_spent]":
        return lambda fan: fan.total_cents <= value * 100
    if key == "filter[tips]":
        return lambda fan: fan.spent.get("tips", 0) >= value * 100
    if key == "filter[duration]":
        return lambda fan: len(fan.periods) >= value
    if key == "filter[online]":
        return lambda fan: _online(fan, now) == bool(value)
    raise InvalidError(key, f"The {key} field is not supported.")


def _online(fan: Fan, now: int) -> bool:
    return fan.last_seen_at is not None and now - fan.last_seen_at < 5 * 60 * MS_PER_S
