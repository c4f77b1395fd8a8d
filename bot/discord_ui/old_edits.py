"""Tells that Discord lets no more old messages be edited for now: discord.py would wait, and keep its channel waiting.

Messages older than an hour have a small limit of their own (30046) that no header announces.
"""

from __future__ import annotations

from types import SimpleNamespace

import aiohttp

OLD_EDITS = 30046
_LONGEST_S = 300.0
_USUAL_S = 60.0


class OldEditsError(Exception):
    """The edit was refused. `retry_after_s`: when the next one may go."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(f"old messages may be edited again in {retry_after_s:g} s")
        self.retry_after_s = retry_after_s


async def refuse_to_wait(
    session: aiohttp.ClientSession, context: SimpleNamespace, params: aiohttp.TraceRequestEndParams
) -> None:
    """The hook for `on_request_end`: raises OldEditsError, which passes through discord.py as it is."""
    response = params.response
    if params.method != "PATCH" or response.status != 429:
        return
    try:
        # Kept by the response: whoever reads it after this gets the same.
        body = await response.json(content_type=None)
    except (ValueError, UnicodeDecodeError):
        return
    if not isinstance(body, dict) or body.get("code") != OLD_EDITS:
        return
    wait_s = body.get("retry_after")
    if not isinstance(wait_s, int | float) or wait_s <= 0:
        wait_s = _USUAL_S
    raise OldEditsError(min(float(wait_s), _LONGEST_S))
