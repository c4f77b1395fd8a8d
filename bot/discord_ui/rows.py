"""Parts that cards, lists and profiles share: one fan's line, subscription, owner, money."""

from __future__ import annotations

from urllib.parse import quote

from bot.discord_ui import times, words
from bot.discord_ui.limits import BUTTON_URL_CHARS, clip
from bot.discord_ui.safe import fan_name
from bot.discord_ui.snoozing import snooze_words
from bot.domain.models import AlertTier, Reason
from bot.domain.views import AlertRow, Owner

REASON_GRAPHEMES = 48


def tier_words(row: AlertRow) -> str:
    """Sign and word of an episode's state; the sign never stands alone."""
    if row.tier is None:
        return "✅ Cleared"
    if row.expired:
        return "⌛ Expired"
    return "🔴 Action" if row.tier is AlertTier.ACTION else "🟠 At risk"


def hold_words(row: AlertRow) -> str:
    """What stands before everything in the row of a fan whom nobody is to contact; empty for others."""
    return "⛔ Do not contact · " if row.on_hold else ""


def score_words(row: AlertRow) -> str:
    """ "83 ▲12"; without the move where the score before is unknown or shows the same."""
    now = round(row.score)
    if row.score_before is None or round(row.score_before) == now:
        return str(now)
    move = now - round(row.score_before)
    return f"{now} {'▲' if move > 0 else '▼'}{abs(move)}"


def pace_words(row: AlertRow) -> str:
    """ "$410 a month", or that it is unknown."""
    if row.pace_cents is None:
        return "monthly spend unknown"
    return f"{words.money(row.pace_cents, row.currency)} a month"


def reason_words(reason: Reason) -> str:
    return clip(words.reason(reason), REASON_GRAPHEMES)


def top_reason(row: AlertRow) -> str | None:
    """The reason that counts most; None where nothing speaks for leaving."""
    best = max(row.reasons, key=lambda r: r.points, default=None)
    return reason_words(best) if best is not None and best.points > 0 else None


def reason_lines(reasons: tuple[Reason, ...], limit: int | None = None) -> list[str]:
    """One line a reason with its points; those after `limit` are summed up: the lines add up to the score."""
    shown = reasons if limit is None else reasons[:limit]
    lines = [f"• {reason_words(r)}: **{words.points(r.points)}**" for r in shown]
    rest = sum(r.points for r in reasons[len(shown) :])
    if len(reasons) > len(shown) and abs(rest) >= 0.05:
        lines.append(f"• Everything else: **{words.points(rest)}**")
    return lines


def subscription_words(status: str | None, expires_at: int | None, rebill_off: bool | None) -> str:
    """Where a subscription stands; what is not known is said to be unknown."""
    if status is None and expires_at is None:
        return words.UNKNOWN
    if status == "expired":
        return "ended" if expires_at is None else f"ended {times.relative(expires_at)}"
    end = "end date unknown" if expires_at is None else times.relative(expires_at)
    if rebill_off:
        return f"rebill off, {end}" if expires_at is None else f"rebill off, ends {end}"
    rebill = "rebill unknown" if rebill_off is None else "rebill on"
    return f"active, {end}, {rebill}" if expires_at is None else f"renews {end}, {rebill}"


def mention_text(owner: Owner) -> str:
    return f"<@{owner.discord_id}>" if owner.kind == "user" else f"<@&{owner.discord_id}>"


def row_owner(row: AlertRow) -> Owner | None:
    """Whose work it is: who claimed it, else who it was given to."""
    return Owner("user", row.claimed_by) if row.claimed_by is not None else row.owner


def owner_words(row: AlertRow) -> str:
    if row.claimed_by is not None:
        when = f" {times.clock_time(row.claimed_at)}" if row.claimed_at is not None else ""
        return f"Claimed by <@{row.claimed_by}>{when}"
    return f"For {mention_text(row.owner)}, not claimed" if row.owner is not None else "Not claimed"


def age_words(synced_at: int | None) -> str:
    return f"Data from {times.relative(synced_at)}" if synced_at is not None else "Age of the data unknown"


def chat_link(row: AlertRow, chat_url: str) -> str | None:
    """The address of the chat with the fan; None where her id is hidden or Discord would not take it.

    `chat_url` has {fan_id}; the creator's own goes before it.
    """
    if not row.fan.platform_fan_id:
        return None
    url = (row.chat_url or chat_url).replace(
        "{fan_id}", quote(row.fan.platform_fan_id.encode("utf-8", "replace"), safe="")
    )
    return url if len(url) <= BUTTON_URL_CHARS else None


def list_row(row: AlertRow, link: str | None) -> str:
    """A fan in a list: two short lines that read on a phone."""
    facts = [
        f"{hold_words(row)}{tier_words(row)} **{fan_name(row.fan, 24)}**",
        score_words(row),
        pace_words(row),
    ]
    reason = top_reason(row)
    if reason is not None and not row.expired:
        facts.append(reason)
    second = [subscription_words(row.status, row.expires_at, row.rebill_off), owner_words(row)]
    if (snoozed := snooze_words(row)) is not None:
        second.append(snoozed)
    if link is not None:
        second.append(f"[{words.OPEN_CHAT}]({link})")
    return f"{' · '.join(facts)}\n-# {' · '.join(second)}"


def sum_pace(rows: tuple[AlertRow, ...]) -> str | None:
    """ "about $1,240 a month" over the rows whose pace is known; None where none is."""
    by_currency: dict[str, int] = {}
    for row in rows:
        if row.pace_cents is not None:
            by_currency[row.currency] = by_currency.get(row.currency, 0) + row.pace_cents
    return pace_sum(tuple(sorted(by_currency.items())))


def pace_sum(by_currency: tuple[tuple[str, int], ...]) -> str | None:
    """ "about $1,240 a month"; at most three currencies, None for none."""
    if not by_currency:
        return None
    return f"about {' and '.join(words.money(cents, cur) for cur, cents in by_currency[:3])} a month"
