"""Creators as managers see them: the list, one whole, and what a change did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import discord

from bot.discord_ui import custom_ids, rows, times, words
from bot.discord_ui.items import button
from bot.discord_ui.limits import EMBED_DESCRIPTION_UNITS, clip_units, units
from bot.discord_ui.rendered import RenderedMessage
from bot.discord_ui.safe import safe_name
from bot.discord_ui.words import creators as told
from bot.domain.base36 import encode
from bot.domain.models import CardKind
from bot.domain.naming import NameMode
from bot.domain.thresholds import policy_of
from bot.services.creator_profiles import CreatorProfile
from bot.services.creator_results import ChangeResult
from bot.services.ports import CardChange

UNDO = "undo_setting"
RETIRE = "retire_yes"
KEEP = "retire_no"
KIND = "c"

_COLOUR = 0x5865F2
_MORE_UNITS = 60


def render_list(profiles: Sequence[CreatorProfile]) -> RenderedMessage:
    """A line for each; those that do not fit are counted."""
    if not profiles:
        return RenderedMessage(told.NO_CREATORS, (), None, is_layout=False, live=False)
    lines: list[str] = []
    for number, one in enumerate(profiles):
        line = _line(one)
        if units("\n".join([*lines, line])) > EMBED_DESCRIPTION_UNITS - _MORE_UNITS:
            lines.append(f"… and {len(profiles) - number:,} more")
            break
        lines.append(line)
    title = words.count(len(profiles), "creator", "creators")
    return _embed(title, lines)


def render_profile(
    profile: CreatorProfile, seen_by: Sequence[int], problems: Sequence[str]
) -> RenderedMessage:
    """One creator whole. `seen_by`: the mapped roles that see her channel; `problems`: what the bot may not do there."""
    lines = [
        f"{told.STATES[profile.state]} · <#{profile.channel_id}> · account {_account(profile)}",
        f"{rows.age_words(profile.synced_at)} · {_open(profile)}",
    ]
    if profile.state in ("active", "session_expired", "account_missing", "stale"):
        silent = ", silent" if profile.baseline_pending else ""
        lines.append(f"Next look: {times.relative(profile.next_look_at)}{silent}")
    if profile.failed_polls:
        lines.append(f"⚠️ Failed looks since the last good one: {profile.failed_polls:,}")
    if problems:
        lines.append(f"⚠️ Fanwatch lacks in her channel: {', '.join(problems)}")
    lines += ["", *_settings(profile)]
    roles = " ".join(f"<@&{role_id}>" for role_id in seen_by[:20]) or told.NONE
    leads = " ".join(f"<@{user_id}>" for user_id in profile.lead_ids[:20]) or told.NONE
    lines += ["", f"Seen by: {roles}, managers and owners", f"Lead: {leads}"]
    return _embed(safe_name(profile.name, 60) or words.UNKNOWN, lines)


def render_settings(profile: CreatorProfile) -> RenderedMessage:
    """How she is watched, and what each setting means."""
    return _embed(f"Settings of {safe_name(profile.name, 60)}", _settings(profile, explained=True))


def render_change(
    name: str, creator_id: int, result: ChangeResult, *, undone: bool = False
) -> RenderedMessage:
    """What was so before and is now, with [Undo] where the change can be taken back."""
    shown, lines = (
        safe_name(name),
        [change_line(key, result.before[key], result.after[key]) for key in result.after],
    )
    text = told.undone(shown, lines) if undone else told.changed(shown, lines)
    if result.baseline:
        text = f"{text} {told.BASELINE}"
    return _with_undo(text, creator_id, result.change_id if not undone else None)


def render_paused(name: str, creator_id: int, result: ChangeResult) -> RenderedMessage:
    return _with_undo(told.paused(safe_name(name)), creator_id, result.change_id)


def render_retire(name: str, creator_id: int) -> RenderedMessage:
    """The question before it."""
    view = discord.ui.View(timeout=None)
    view.add_item(button(told.RETIRE, custom_ids.build(RETIRE, KIND, creator_id), discord.ButtonStyle.danger))
    view.add_item(button(told.KEEP, custom_ids.build(KEEP, KIND, creator_id)))
    return RenderedMessage(told.retire_question(safe_name(name)), (), view, is_layout=False, live=True)


def render_revert(card_id: int, change: CardChange) -> RenderedMessage:
    """The question before new thresholds are taken back."""
    view = discord.ui.View(timeout=None)
    revert = custom_ids.build(custom_ids.REVERT_YES, CardKind.BASELINE, card_id)
    view.add_item(button(words.REVERT, revert, discord.ButtonStyle.danger))
    view.add_item(button(told.LEAVE, custom_ids.build(KEEP, KIND, change.creator_id)))
    lines = [change_line(key, value, change.before.get(key)) for key, value in change.after.items()]
    return RenderedMessage(
        told.revert_question(safe_name(change.creator_name), lines), (), view, is_layout=False, live=True
    )


def change_line(key: str, before: object, after: object) -> str:
    """ "at-risk threshold 60 → 55"."""
    return f"{told.SETTINGS[key]} {_value(key, before)} → {_value(key, after)}"


def _with_undo(text: str, creator_id: int, change_id: int | None) -> RenderedMessage:
    if change_id is None:
        return RenderedMessage(text, (), None, is_layout=False, live=False)
    view = discord.ui.View(timeout=None)
    view.add_item(button(told.UNDO, custom_ids.build(UNDO, KIND, creator_id, encode(change_id))))
    return RenderedMessage(text, (), view, is_layout=False, live=True)


def _value(key: str, value: object) -> str:
    usual = policy_of(None, None)
    if value is None:
        unset: Mapping[str, str] = {
            "fire_above": f"{usual.fire_above:g}",
            "action_above": f"{usual.action_above:g}",
            "default_chatter_id": told.NONE,
            "name_mode": told.NAME_MODES[NameMode.HANDLE],
            "paused_reason": "on",
        }
        return unset.get(key, told.AS_AGENCY)
    if key == "default_chatter_id":
        return f"<@{value}>"
    if key == "channel_id":
        return f"<#{value}>"
    if key == "name_mode":
        return told.NAME_MODES[NameMode(str(value))]
    if key == "paused_reason":
        return "paused"
    if key == "chat_url":
        return f"`{value}`"
    if key == "credits_per_day":
        return f"{value:,}"
    return f"{value:g}" if isinstance(value, float | int) else str(value)


def _settings(profile: CreatorProfile, *, explained: bool = False) -> list[str]:
    zone = profile.timezone or f"{profile.agency_timezone or words.UNKNOWN} ({told.AS_AGENCY})"
    who = f"<@{profile.default_chatter_id}>" if profile.default_chatter_id is not None else told.NONE
    link = f"`{profile.chat_url}`" if profile.chat_url is not None else told.AS_AGENCY
    credits_a_day = f"{profile.credits_per_day:,}"
    if profile.own_credits_per_day is None:
        credits_a_day += f" ({told.AS_AGENCY})"
    listed = [
        (
            f"At risk above **{profile.fire_above:g}**, cleared below {profile.clear_below:g}",
            "a silent flag in her channel",
        ),
        (
            f"Action item above **{profile.action_above:g}**, at risk again below {profile.action_clear_below:g}",
            "pings the one it is for",
        ),
        (f"Default chatter: {who}", "gets her action items; without one her lead does"),
        (f"Time zone: {zone}", "what days and shifts of hers mean"),
        (
            f"Names on cards: {told.NAME_MODES[profile.name_mode]}",
            "what everybody in her channel reads; /fan lookup always says the handle",
        ),
        (f"Chat link: {link}", "where [Open chat] leads"),
        (f"Credits a day: {credits_a_day}", "looks at her stop there until midnight"),
    ]
    return [f"{line}\n-# {meaning}" if explained else line for line, meaning in listed]


def _line(profile: CreatorProfile) -> str:
    parts = [
        f"**{safe_name(profile.name)}**",
        f"<#{profile.channel_id}>",
        f"account {_account(profile)}",
        told.STATES[profile.state],
        rows.age_words(profile.synced_at),
        _open(profile),
    ]
    return " · ".join(parts)


def _account(profile: CreatorProfile) -> str:
    return safe_name(profile.account_id, 48)


def _open(profile: CreatorProfile) -> str:
    alerts = words.count(profile.open_alerts, "open alert", "open alerts")
    actions = words.count(profile.open_actions, "action item", "action items")
    return f"{alerts}, {actions} of them" if profile.open_actions else alerts


def _embed(title: str, lines: Sequence[str]) -> RenderedMessage:
    description = clip_units("\n".join(lines), EMBED_DESCRIPTION_UNITS)
    embed = discord.Embed(title=title, description=description, colour=_COLOUR)
    return RenderedMessage(None, (embed,), None, is_layout=False, live=False)
