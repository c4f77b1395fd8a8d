"""One page ahead: the next page is on its way while the present one is written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

from bot.fanapi.protocol import Page

T = TypeVar("T")


async def ahead(pages: AsyncIterator[Page[T]]) -> AsyncGenerator[Page[T], None]:
    """The same pages in the same order. To be used with `aclosing`, so that whoever leaves early leaves no request behind.

    What goes wrong with the next page is raised only after the present one was handed out, and so is not lost.
    """
    coming = asyncio.create_task(_next(pages))
    try:
        while (page := await coming) is not None:
            if page.next_cursor is None:
                yield page
                return
            coming = asyncio.create_task(_next(pages))
            yield page
    finally:
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)
        await _close(pages)


@asynccontextmanager
async def left_early(pages: AsyncIterator[Page[T]]) -> AsyncGenerator[AsyncIterator[Page[T]]]:
    """Close a walk whose last page nobody may want."""
    try:
        yield pages
    finally:
        await _close(pages)


async def _close(pages: AsyncIterator[Page[T]]) -> None:
    if isinstance(pages, AsyncGenerator):
        await pages.aclose()


async def _next(pages: AsyncIterator[Page[T]]) -> Page[T] | None:
    return await anext(pages, None)
