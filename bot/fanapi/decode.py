"""Bytes to schema structs, forgiving the one thing that hostile names break: half a character."""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

S = TypeVar("S")


class NotReadableError(ValueError):
    """Not JSON, or not of the expected shape. The message names a place in it, never its content."""


def decode(body: bytes, shape: type[S]) -> S:
    """Decode JSON into `shape`, ignoring fields it does not name. Raises NotReadableError."""
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        raise NotReadableError(f"unexpected shape: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _decode_mended(body, shape)
    except RecursionError:
        raise NotReadableError("nested too deep") from None


def _decode_mended(body: bytes, shape: type[S]) -> S:
    # A name cut in the middle of an emoji, a lone escape (\ud83d) or half its bytes, is what no strict
    # decoder takes; one such fan must not cost us the page.
    mended = _ESCAPE.sub(_mend, body).decode("utf-8", "replace").encode()
    if mended == body:
        raise NotReadableError("not JSON")
    try:
        return msgspec.json.decode(mended, type=shape)
    except msgspec.ValidationError as error:
        raise NotReadableError(f"unexpected shape: {error}") from None
    except (msgspec.DecodeError, RecursionError):
        raise NotReadableError("not JSON") from None


# Escapes from left to right, each in whole: a valid pair, half a pair, any other.
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


def _mend(match: re.Match[bytes]) -> bytes:
    return match[0] if match["half"] is None else rb"\ufffd"
