"""Ids as short text: base 36, lower case, without sign or leading zeros."""

from __future__ import annotations

import re

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_CANONICAL = re.compile(r"0|[1-9a-z][0-9a-z]{0,12}", re.ASCII)
_LARGEST = 2**63 - 1


def encode(value: int) -> str:
    """The text of a whole number from 0 to 2**63 - 1. Raises ValueError for any other."""
    if not 0 <= value <= _LARGEST:
        raise ValueError("only 0 to 2**63 - 1 can be written in base 36")
    digits = ""
    while value >= 36:
        value, digit = divmod(value, 36)
        digits = _DIGITS[digit] + digits
    return _DIGITS[value] + digits


def decode(text: str) -> int:
    """The number that `encode` wrote so. Raises ValueError for every other text."""
    if _CANONICAL.fullmatch(text) is None:
        raise ValueError("not a base 36 number")
    value = int(text, 36)
    if value > _LARGEST:
        raise ValueError("not a base 36 number of at most 63 bits")
    return value
