"""What the public cards of a creator call her fans: by handle, by alias, or by nothing until somebody claims one."""

from __future__ import annotations

from enum import StrEnum

from bot.domain.base36 import encode
from bot.domain.views import FanLabel

_DIGITS = 5
_SPREAD = 0x9E3779B97F4A7C15
"""An odd number: multiplying by it loses nothing and spreads ids that follow each other over all digits."""


class NameMode(StrEnum):
    """As it is kept with a creator."""

    HANDLE = "handle"
    ALIAS = "alias"
    HIDDEN = "hidden"


def name_mode(text: str | None) -> NameMode:
    """The mode a creator has; handles where she has none of her own."""
    return NameMode.HANDLE if text is None else NameMode(text)


def pseudonym(fan_account_id: int) -> str:
    """ "Fan 3F2K7": always the same for a fan, and nothing the platform knows."""
    mixed = (fan_account_id * _SPREAD) % 2**64 >> 32
    return f"Fan {encode(mixed % 36**_DIGITS).upper():0>{_DIGITS}}"


def hides_all(mode: NameMode, *, claimed: bool) -> bool:
    """Whether nothing that tells who a fan is may stand in public."""
    return mode is NameMode.HIDDEN and not claimed


def public_label(label: FanLabel, mode: NameMode, fan_account_id: int, *, claimed: bool) -> FanLabel:
    """The names that may stand where everybody in the channel reads them.

    A hidden fan has no platform id either: with it anybody could look the handle up.
    """
    if mode is NameMode.ALIAS:
        return FanLabel(label.platform_fan_id, None, pseudonym(fan_account_id), label.alias)
    if hides_all(mode, claimed=claimed):
        return FanLabel("", None, pseudonym(fan_account_id), None)
    return label
