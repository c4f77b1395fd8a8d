"""A fan's profile as one embed that reads on a phone."""

from __future__ import annotations

import discord

from bot.discord_ui import followups, notes, rows, times, words
from bot.discord_ui.calm import hold_line
from bot.discord_ui.done import memory_lines
from bot.discord_ui.limits import EMBED_DESCRIPTION_UNITS, clip_units
from bot.discord_ui.rendered import RenderedMessage
from bot.discord_ui.safe import fan_name, safe_name
from bot.discord_ui.words import profile as say
from bot.domain.models import AlertTier
from bot.domain.views import FanProfile

_TIERS = {AlertTier.AT_RISK: "🟠 At risk", AlertTier.ACTION: "🔴 Action"}
_COLOUR = 0x5865F2


def render_profile(profile: FanProfile) -> RenderedMessage:
    """Everything a lookup shows; what is not known is said to be unknown."""
    sections = [
        _names(profile),
        _money(profile),
        _scores(profile),
        _subscription(profile),
        _activity(profile),
        _notes(profile),
    ]
    lines = [*sections, f"-# {rows.age_words(profile.synced_at)}"]
    embed = discord.Embed(
        title=f"{fan_name(profile.fan, 48)} · {safe_name(profile.creator_name, 32)}",
        description=clip_units("\n\n".join(lines), EMBED_DESCRIPTION_UNITS),
        colour=_COLOUR,
    )
    return RenderedMessage(None, (embed,), None, is_layout=False, live=False)


def _names(profile: FanProfile) -> str:
    fan = profile.fan
    lines = [] if profile.hold is None else [hold_line(profile.hold)]
    lines.append(f"Id on the platform: {safe_name(fan.platform_fan_id) or words.HIDDEN}")
    if fan.name:
        lines.append(f"Name: {safe_name(fan.name, 48) or words.UNKNOWN}")
    if fan.alias:
        lines.append(f"Alias: {safe_name(fan.alias, 48) or words.UNKNOWN}")
    marks = {
        "blocked": profile.is_blocked,
        "restricted": profile.is_restricted,
        "a performer": profile.is_performer,
    }
    true = [name for name, value in marks.items() if value]
    if true:
        lines.append(f"⚠️ This fan is {', '.join(true)}")
    state = _TIERS[profile.open_tier] if profile.open_tier is not None else "nothing open"
    if profile.claimed_by is not None:
        state += f", claimed by <@{profile.claimed_by}>"
    elif profile.owner is not None:
        state += f", for {rows.mention_text(profile.owner)}"
    lines += [f"Desk: {state}", *memory_lines(profile.last, profile.mood, profile.moods)]
    return "\n".join(lines)


def _money(profile: FanProfile) -> str:
    def money(cents: int | None) -> str:
        return words.money(cents, profile.currency)

    parts = {
        "subscriptions": profile.subscriptions_cents,
        "messages": profile.messages_cents,
        "tips": profile.tips_cents,
        "posts": profile.posts_cents,
        "streams": profile.streams_cents,
    }
    split = [f"{name} {money(cents)}" for name, cents in parts.items()]
    return "\n".join(
        [
            f"**Spent in all: {money(profile.total_cents)}**",
            " · ".join(split),
            f"Last 30 days: {money(profile.spend_30d_cents)}"
            f" · 30 days before: {money(profile.spend_prior_30d_cents)}",
            f"Last purchase: {_when(profile.last_purchase_at)}",
        ]
    )


def _scores(profile: FanProfile) -> str:
    scores = profile.scores
    if scores is None:
        return f"**Scores: {words.UNKNOWN}** (not scored yet)"
    lines = [f"**Churn risk: {round(scores.churn_risk)} of 100**"]
    if scores.churn_probability is not None:
        lines[0] += f" · {round(scores.churn_probability * 100)} % likely to leave"
    lines += rows.reason_lines(profile.reasons)
    others = {
        "LTV": scores.ltv,
        "engagement": scores.engagement,
        "upsell": scores.upsell,
        "loyalty": scores.loyalty,
    }
    lines.append(" · ".join(f"{name} {_value(value)}" for name, value in others.items()))
    if profile.scored_at is not None:
        model = f" by model {safe_name(profile.score_model)}" if profile.score_model else ""
        lines.append(f"-# Scored {times.relative(profile.scored_at)}{model}")
    return "\n".join(lines)


def _value(value: float | None) -> str:
    return words.UNKNOWN if value is None else str(round(value))


def _subscription(profile: FanProfile) -> str:
    standing = rows.subscription_words(profile.status, profile.expires_at, profile.rebill_off)
    price = words.money(profile.price_cents, profile.currency)
    lines = [f"Subscription: {standing}", f"Subscribed: {_when(profile.subscribed_at)} · price {price}"]
    ways = profile.behaviour
    if ways is not None:
        lines.append(f"Stage: {say.stage(ways.stage)} · rebills: {say.rebills(ways.rebills)}")
    return "\n".join(lines)


def _activity(profile: FanProfile) -> str:
    lines = [f"Last active: {_when(profile.last_active_at)}", *_talk(profile)]
    ways = profile.behaviour
    if ways is not None:
        lines.append(f"Buys: {say.preference(ways.preference)}")
        lines.append(f"Most active at: {say.hours(ways.hours, ways.zone)}")
    lines.append(f"First seen: {times.day(profile.first_seen_at)}")
    return "\n".join(lines)


def _talk(profile: FanProfile) -> list[str]:
    ways, messages = profile.behaviour, profile.messages_30d
    known_until = None if ways is None else ways.messages_until_at
    if ways is not None and known_until is None and messages is None and profile.ppv_open_rate is None:
        creator = safe_name(profile.creator_name, 32) or words.HIDDEN
        return [say.no_messages(creator, refused=ways.chats_readable is False)]
    number = words.UNKNOWN if messages is None else f"{messages:,}"
    if messages is None and known_until is not None:
        number += f" (last read {times.relative(known_until)})"
    opened = words.UNKNOWN if profile.ppv_open_rate is None else f"{round(profile.ppv_open_rate * 100)} %"
    lines = [f"Messages in 30 days: {number} · PPV unlocked: {opened}"]
    if ways is not None and known_until is not None:
        lines.append(f"We answer in: {say.response(ways.response)}")
    return lines


def _notes(profile: FanProfile) -> str:
    lines = [f"Notes: {profile.note_count:,}" if profile.note_count else "Notes: none"]
    if profile.newest_note is not None:
        lines = [f"{lines[0]}, the newest:", notes.card_line(profile.newest_note)]
    if profile.followup is not None:
        lines.append(followups.card_line(profile.followup))
    return "\n".join(lines)


def _when(at_ms: int | None) -> str:
    return words.UNKNOWN if at_ms is None else times.relative(at_ms)
