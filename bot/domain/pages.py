"""Lists are shown a page at a time."""

from __future__ import annotations

ROWS_PER_PAGE = 10
"""Ten rows of three components each leave a Discord message room for the header and the pager."""


def fit(page: int, total: int, size: int = ROWS_PER_PAGE) -> tuple[int, int]:
    """(the page from 0, brought into range; how many pages `total` rows make, one at least)."""
    pages = max(1, -(-total // size))
    return min(max(page, 0), pages - 1), pages
