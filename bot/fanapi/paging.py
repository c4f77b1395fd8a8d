"""From one page to the next, trusting only what moves forward.

The end is what `hasMore` and `next_page` say, never how many records a page holds: pages come short, and
empty in the middle. Of `next_page` only the query is used, and only if it points to the same list: its host
may be an old one, and the key goes nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from bot.fanapi.decode import NotReadableError

# No list is this long, and no run of empty pages either: a walk ends even if the API never says so.
MAX_PAGES = 200_000
MAX_EMPTY_PAGES = 100


@dataclass(frozen=True, slots=True)
class Turn:
    """What a page says of the one after it."""

    ids: Sequence[str]
    has_more: bool | None
    next_page: str | None
    next_marker: str | None = None


class PageTurner:
    """The parameters of the pages of one walk.

    `path` is the list's, from the account on; `fixed` are our own parameters, which no answer changes. A
    cursor is the query of the page to ask for, without `fixed` and the limit. `by_offset`: where the answer
    says that there is more and not where, the next page starts `limit` further on.
    """

    def __init__(self, path: str, fixed: Mapping[str, str], cursor: str | None, *, by_offset: bool) -> None:
        self._path = path.strip("/")
        self._fixed = dict(fixed)
        self._by_offset = by_offset
        self._moving = self._own(cursor or "")
        if by_offset:
            self._moving.setdefault("offset", "0")
        self._asked = {urlencode(self._moving)}
        self._seen: set[int] = set()
        self._pages = 0
        self._empty = 0

    def params(self, limit: int) -> dict[str, str]:
        """The query of the page to ask for now."""
        return {"limit": str(limit), **self._moving, **self._fixed}

    def turn(self, page: Turn, limit: int) -> str | None:
        """Move on to the next page and return its cursor, None at the end.

        Raises NotReadableError for a page that came before, and for a next page that is none.
        """
        self._check(page)
        if page.next_page:
            moving = self._from_url(page.next_page)
        elif not page.has_more:
            return None
        elif page.next_marker is not None:
            moving = {**self._moving, "marker": page.next_marker}
        elif self._by_offset:
            moving = dict(self._moving)
        else:
            raise NotReadableError("more pages, but no way to them")
        if self._by_offset:
            moving["offset"] = str(self._next_offset(moving.get("offset"), bool(page.next_page), page, limit))
        cursor = urlencode(moving)
        if cursor in self._asked:
            raise NotReadableError("the next page is one that was read already")
        self._asked.add(cursor)
        self._moving = moving
        return cursor

    def _check(self, page: Turn) -> None:
        self._pages += 1
        self._empty = 0 if page.ids else self._empty + 1
        if self._pages > MAX_PAGES or self._empty > MAX_EMPTY_PAGES:
            raise NotReadableError("a list without an end")
        if page.ids:
            print_of_page = hash(tuple(page.ids))
            if print_of_page in self._seen:
                raise NotReadableError("the same page twice")
            self._seen.add(print_of_page)

    def _next_offset(self, said: str | None, from_url: bool, page: Turn, limit: int) -> int:
        here = int(self._moving["offset"])
        furthest = here + max(limit, len(page.ids))
        if not from_url:
            return here + limit
        if said is None or not said.isascii() or not said.isdigit() or len(said) > 12 or int(said) <= here:
            raise NotReadableError("the next page does not lie ahead")
        # A leap would leave out fans whom nobody has shown.
        return min(int(said), furthest)

    def _from_url(self, url: str) -> dict[str, str]:
        try:
            parts = urlsplit(url)
            moving = self._own(parts.query)
        except ValueError:
            raise NotReadableError("the next page is no address") from None
        path = unquote(parts.path).strip("/")
        if path and path != self._path and not path.endswith(f"/{self._path}"):
            raise NotReadableError("the next page is of another list")
        return moving

    def _own(self, query: str) -> dict[str, str]:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=30)
        return {name: value for name, value in pairs if name != "limit" and name not in self._fixed}
