"""Checks the plain mappings of `score_profiles`: field names of the reference system, one creator's fans."""

from __future__ import annotations

from collections.abc import Mapping

from bot.domain.scoring.base import Profile, ProfileError

# Far above any real spend, far below where a float loses a cent: what is larger is a mistake of unit.
MAX_DOLLARS = 1e12
MAX_COUNT = 10**9


def read_profile(raw: object, position: int) -> Profile:
    """Check one profile; `position` counts from 1 and names a profile without a usable fan_id.

    A field that is missing or None is unknown; fields beyond the known ones are ignored. Raises ProfileError.
    """
    nameless = f"profile {position}"
    if not isinstance(raw, Mapping):
        raise ProfileError(nameless, None, f"an object with a fan_id, not {_shown(raw)}")
    fan_id = raw.get("fan_id")
    if isinstance(fan_id, bool) or not isinstance(fan_id, str | int) or fan_id == "":
        raise ProfileError(nameless, "fan_id", f"a text or a whole number, not {_shown(fan_id)}")
    fan = f"fan {_shown(fan_id)}"
    return Profile(
        fan_id=fan_id,
        total_spend=_dollars(raw, fan, "total_spend"),
        spend_30d=_dollars(raw, fan, "spend_30d"),
        spend_prior_30d=_dollars(raw, fan, "spend_prior_30d"),
        days_since_active=_count(raw, fan, "days_since_active", "a whole number of days, 0 or more"),
        message_count_30d=_count(raw, fan, "message_count_30d", "a whole number of messages, 0 or more"),
        ppv_open_rate=_fraction(raw, fan, "ppv_open_rate"),
        subscription_status=_text(raw, fan, "subscription_status"),
    )


def _dollars(raw: Mapping[object, object], fan: str, field: str) -> float | None:
    value = raw.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= MAX_DOLLARS:
        raise _refused(
            fan, field, f"a number of dollars between -{MAX_DOLLARS:.0e} and {MAX_DOLLARS:.0e}", value
        )
    return float(value)


def _count(raw: Mapping[object, object], fan: str, field: str, expected: str) -> int | None:
    value = raw.get(field)
    if value is None:
        return None
    # JSON writers of other languages print 3 as 3.0.
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_COUNT:
        raise _refused(fan, field, expected, value)
    return value


def _fraction(raw: Mapping[object, object], fan: str, field: str) -> float | None:
    value = raw.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise _refused(fan, field, "a number from 0 to 1", value)
    return float(value)


def _text(raw: Mapping[object, object], fan: str, field: str) -> str | None:
    value = raw.get(field)
    if value is None or isinstance(value, str):
        return value
    raise _refused(fan, field, "a text such as active, expiring_soon or expired", value)


def _refused(fan: str, field: str, expected: str, value: object) -> ProfileError:
    return ProfileError(fan, field, f"{expected} (null: unknown), not {_shown(value)}")


def _shown(value: object) -> str:
    if isinstance(value, bool | str) or value is None:
        return repr(value[:60] if isinstance(value, str) else value)
    if isinstance(value, int | float):
        # A whole number of thousands of digits cannot even be printed.
        return repr(value) if isinstance(value, float) or abs(value) < 10**40 else "a huge number"
    return f"a value of type {type(value).__name__}"
