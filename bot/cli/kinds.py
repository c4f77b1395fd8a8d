"""The kinds of files that can be imported: their columns, and a row of each as a record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final, Literal

from bot.cli.cells import Cells, RejectError
from bot.domain.models import FanRecord, TransactionKind, TransactionRecord
from bot.domain.money import USD
from bot.domain.notes import NOTE_CHARS, tidy
from storage.imports import CONTENT_ID, ImportedNote

Kind = Literal["transactions", "fans", "notes"]

CREATOR_COLUMN: Final = "creator"
"""Whose a row is, in files with the rows of several creators; optional in every kind."""

COLUMNS: Final[Mapping[Kind, tuple[str, ...]]] = {
    "transactions": (
        "id",
        "fan_id",
        "username",
        "kind",
        "amount",
        "amount_cents",
        "net",
        "net_cents",
        "currency",
        "status",
        "at",
    ),
    "fans": (
        "id",
        "username",
        "name",
        "alias",
        "subscribed",
        "subscribed_at",
        "renewed_at",
        "expires_at",
        "rebill",
        "last_seen_at",
        "price",
        "total",
        "subscriptions",
        "tips",
        "messages",
        "posts",
        "streams",
    ),
    "notes": ("id", "fan_id", "username", "text", "author_id", "at"),
}
NEEDED: Final[Mapping[Kind, tuple[tuple[str, ...], ...]]] = {
    "transactions": (("fan_id",), ("amount", "amount_cents"), ("at",)),
    "fans": (("id",),),
    "notes": (("fan_id",), ("text",), ("author_id",), ("at",)),
}
"""Of each group one column must be there."""

_KINDS: Final[Mapping[str, TransactionKind]] = {
    "subscription": TransactionKind.SUBSCRIPTION,
    "subscriptions": TransactionKind.SUBSCRIPTION,
    "subs": TransactionKind.SUBSCRIPTION,
    "subscribes": TransactionKind.SUBSCRIPTION,
    "tip": TransactionKind.TIP,
    "tips": TransactionKind.TIP,
    "message": TransactionKind.MESSAGE,
    "messages": TransactionKind.MESSAGE,
    "chat_messages": TransactionKind.MESSAGE,
    "ppv": TransactionKind.MESSAGE,
    "post": TransactionKind.POST,
    "posts": TransactionKind.POST,
    "stream": TransactionKind.STREAM,
    "streams": TransactionKind.STREAM,
    "chargeback": TransactionKind.CHARGEBACK,
    "chargebacks": TransactionKind.CHARGEBACK,
    "refund": TransactionKind.CHARGEBACK,
    "other": TransactionKind.OTHER,
}
_CHARGEBACK_ID: Final = "chargeback:"
"""As the data API's adapter numbers chargebacks apart from payments."""
_LARGEST_ID: Final = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Payment:
    """A row of payments. With `numbered` False its id is still to be made from what it says."""

    record: TransactionRecord
    numbered: bool


def to_payment(cells: Cells) -> Payment:
    """Raises RejectError."""
    amount = cells.money("amount")
    if amount is None:
        raise RejectError("amount: is missing")
    kind = _kind(cells.text("kind"), amount)
    net = cells.money("net")
    if kind is TransactionKind.CHARGEBACK:
        amount, net = -abs(amount), None if net is None else -abs(net)
    elif amount < 0:
        raise RejectError("amount: is negative, and the kind is no chargeback")
    currency = cells.text("currency").upper() or USD
    if len(currency) != 3 or not currency.isascii() or not currency.isalpha():
        raise RejectError("currency: is no code of three letters")
    given = cells.optional_id("id")
    if given is not None and given.startswith(CONTENT_ID):
        raise RejectError(f"id: begins with {CONTENT_ID}")
    if given is not None and kind is TransactionKind.CHARGEBACK:
        given = _CHARGEBACK_ID + given.removeprefix(_CHARGEBACK_ID)
    record = TransactionRecord(
        platform_transaction_id=given or "",
        platform_fan_id=cells.id("fan_id"),
        username=cells.name("username"),
        kind=kind,
        amount_cents=amount,
        net_cents=net,
        currency=currency,
        status=cells.optional_id("status"),
        occurred_at=cells.past("at"),
    )
    return Payment(record, given is not None)


def _kind(text: str, amount_cents: int) -> TransactionKind:
    if not text:
        return TransactionKind.CHARGEBACK if amount_cents < 0 else TransactionKind.OTHER
    found = _KINDS.get(text.casefold())
    if found is None:
        raise RejectError(f"kind: is none of {', '.join(kind.value for kind in TransactionKind)}")
    return found


def to_fan(cells: Cells) -> FanRecord:
    """What the row says nothing of is None. Raises RejectError."""
    subscribed = cells.flag("subscribed")
    rebill = cells.flag("rebill")
    said: dict[str, object] = {
        "platform_fan_id": cells.id("id"),
        "username": cells.name("username"),
        "name": cells.name("name"),
        "alias": cells.name("alias"),
        "subscribed": subscribed,
        "subscribed_at": cells.instant("subscribed_at"),
        "renewed_at": cells.instant("renewed_at"),
        "expires_at": cells.instant("expires_at"),
        "rebill_off": None if rebill is None else not rebill,
        "last_seen_at": None if not cells.text("last_seen_at") else cells.past("last_seen_at"),
        "price_cents": _amount(cells, "price"),
        "total_cents": _amount(cells, "total"),
        "subscriptions_cents": _amount(cells, "subscriptions"),
        "tips_cents": _amount(cells, "tips"),
        "messages_cents": _amount(cells, "messages"),
        "posts_cents": _amount(cells, "posts"),
        "streams_cents": _amount(cells, "streams"),
    }
    empty = {field.name: None for field in fields(FanRecord) if field.name != "periods"}
    return FanRecord(**(empty | said))  # type: ignore[arg-type]


def _amount(cells: Cells, column: str) -> int | None:
    cents = cells.money(column)
    if cents is not None and cents < 0:
        raise RejectError(f"{column}: is negative")
    return cents


def to_note(cells: Cells) -> ImportedNote:
    """Raises RejectError."""
    text = tidy(cells.text("text"))
    if not text:
        raise RejectError("text: is missing")
    if len(text) > NOTE_CHARS:
        raise RejectError(f"text: is longer than {NOTE_CHARS:,} characters")
    author = cells.id("author_id")
    if (
        not author.isascii()
        or not author.isdigit()
        or not 15 <= len(author) <= 20
        or int(author) > _LARGEST_ID
    ):
        raise RejectError("author_id: is no Discord user id")
    return ImportedNote(
        note_id=cells.optional_id("id"),
        platform_fan_id=cells.id("fan_id"),
        username=cells.name("username"),
        author_id=int(author),
        text=text,
        at=cells.past("at"),
    )
