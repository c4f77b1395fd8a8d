"""The private menu about one alert, and what stands behind its buttons."""

from __future__ import annotations

from collections.abc import Sequence

import discord

from bot.discord_ui import custom_ids, followups, playbooks, rows, snoozing, times, words
from bot.discord_ui.card_buttons import done_button
from bot.discord_ui.custom_ids import build_private
from bot.discord_ui.items import RoutedButton, RoutedSelect, button
from bot.discord_ui.limits import LAYOUT_TEXT_UNITS, SELECT_LABEL_UNITS, clip_units
from bot.discord_ui.rendered import RenderedMessage
from bot.discord_ui.safe import fan_name, plain_fan_name, safe_name
from bot.discord_ui.words import desk as say
from bot.domain.base36 import encode
from bot.domain.models import AccessTier, CardKind, Viewer
from bot.domain.more import EpisodeMenu, Why
from bot.domain.my_work import Claim
from bot.domain.views import AlertRow

WHY = "why"
BACK = "more_back"
CLAIM = "more_claim"
RELEASE = "more_release"
CONTACT = "contact"
NOT_USEFUL = "not_useful"
USEFUL = "useful"
PICK_ASSIGNEE = "pick_assignee"
TAKE_OVER = "take_over"
TAKE_OVER_YES = "take_over_yes"

_TEXT_UNITS = LAYOUT_TEXT_UNITS - 200


def render_menu(menu: EpisodeMenu, viewer: Viewer, said: str | None = None) -> RenderedMessage:
    """Everything that can be done about an alert. `said`: what has just been done, above it."""
    row, layout = menu.row, discord.ui.LayoutView(timeout=None)
    lines = [] if said is None else [said]
    lines += [
        say.menu_title(fan_name(row.fan), safe_name(menu.creator_name)),
        f"{rows.tier_words(row)} · {rows.score_words(row)} · {rows.pace_words(row)} · {rows.owner_words(row)}",
    ]
    if (snoozed := snoozing.snooze_line(row)) is not None:
        lines.append(snoozed)
    layout.add_item(discord.ui.TextDisplay(clip_units("\n".join(lines), _TEXT_UNITS)))
    layout.add_item(discord.ui.ActionRow(*_work_buttons(row, viewer)))
    episode_id = row.episode_id
    layout.add_item(
        discord.ui.ActionRow(
            button(say.WHY, build_private(WHY, episode_id)),
            playbooks.open_button(episode_id),
            followups.open_button(episode_id),
            button(words.THREAD, build_private(custom_ids.THREAD, episode_id)),
            button(words.NOTE, build_private(custom_ids.NOTE, episode_id)),
        )
    )
    word, verb = (say.USEFUL_AFTER_ALL, USEFUL) if menu.useless else (say.NOT_USEFUL, NOT_USEFUL)
    layout.add_item(
        discord.ui.ActionRow(
            button(say.LOG_CONTACT, build_private(CONTACT, episode_id)),
            button(word, build_private(verb, episode_id)),
            button(say.UNDO, build_private(custom_ids.UNDO_LAST, episode_id)),
        )
    )
    if viewer.tier >= AccessTier.LEAD:
        people: discord.ui.UserSelect[discord.ui.View] = discord.ui.UserSelect(
            custom_id=build_private(PICK_ASSIGNEE, episode_id), placeholder=say.ASSIGN_TO
        )
        layout.add_item(discord.ui.ActionRow(RoutedSelect(people)))
    return RenderedMessage(None, (), layout, is_layout=True, live=True)


def _work_buttons(row: AlertRow, viewer: Viewer) -> list[RoutedButton]:
    """Who has nobody's may claim it, who has it may close it, and anybody else may take it over."""
    found: list[RoutedButton] = []
    episode_id = row.episode_id
    mine, leads = row.claimed_by == viewer.user_id, viewer.tier >= AccessTier.LEAD
    if row.claimed_by is None:
        found.append(button(words.CLAIM, build_private(CLAIM, episode_id), discord.ButtonStyle.primary))
    elif mine or leads:
        found.append(done_button(episode_id))
    if row.claimed_by is not None and not mine:
        found.append(take_over_button(episode_id))
    verb, label = (custom_ids.SNOOZE, words.SNOOZE) if row.snooze is None else (custom_ids.WAKE, words.WAKE)
    found.append(button(label, build_private(verb, episode_id)))
    if row.claimed_by is not None and (mine or leads):
        found.append(button(words.RELEASE, build_private(RELEASE, episode_id)))
    return found


def take_over_button(episode_id: int) -> RoutedButton:
    return button(say.TAKE_OVER, build_private(TAKE_OVER, episode_id))


def render_taken(episode_id: int, user_id: int | None) -> RenderedMessage:
    """Who has it, for whoever claims it second, with the way to take it over."""
    layout = discord.ui.LayoutView(timeout=None)
    layout.add_item(discord.ui.TextDisplay(words.taken(user_id)))
    layout.add_item(discord.ui.ActionRow(take_over_button(episode_id)))
    return RenderedMessage(None, (), layout, is_layout=True, live=True)


def render_take_over(menu: EpisodeMenu) -> RenderedMessage:
    """Whom it is taken from, before it is. The button remembers who that is."""
    row, layout = menu.row, discord.ui.LayoutView(timeout=None)
    holder = row.claimed_by or 0
    layout.add_item(discord.ui.TextDisplay(say.ask_take_over(holder, row.claimed_at, fan_name(row.fan))))
    yes = custom_ids.build(TAKE_OVER_YES, custom_ids.EPISODE, row.episode_id, encode(holder))
    layout.add_item(
        discord.ui.ActionRow(
            button(say.TAKE_OVER, yes, discord.ButtonStyle.danger),
            button(say.KEEP, build_private(BACK, row.episode_id)),
        )
    )
    return RenderedMessage(None, (), layout, is_layout=True, live=True)


def open_one(shown: Sequence[AlertRow | Claim], kind: CardKind | str, card_id: int) -> RoutedSelect:
    """The menu below a list that opens what can be done about one of its rows."""
    select: discord.ui.Select[discord.ui.View] = discord.ui.Select(
        custom_id=custom_ids.build(custom_ids.PICK_EPISODE, kind, card_id),
        placeholder=say.OPEN_ONE,
        options=[
            discord.SelectOption(
                label=clip_units(f"{plain_fan_name(row.fan, 48)} · {round(row.score)}", SELECT_LABEL_UNITS),
                value=encode(row.episode_id),
            )
            for row in shown
        ],
    )
    return RoutedSelect(select)


def render_why(why: Why) -> RenderedMessage:
    """Every input of the score with its age, and every reason with its points: they add up to the score."""
    layout = discord.ui.LayoutView(timeout=None)
    text = "\n".join([*_reasons(why), "", *_inputs(why), "", _origin(why)])
    layout.add_item(discord.ui.TextDisplay(clip_units(text, _TEXT_UNITS)))
    layout.add_item(discord.ui.ActionRow(button(say.BACK, build_private(BACK, why.row.episode_id))))
    return RenderedMessage(None, (), layout, is_layout=True, live=True)


def _reasons(why: Why) -> list[str]:
    row = why.row
    head = f"**Why {round(row.score)} of 100** · {fan_name(row.fan)} · {safe_name(why.creator_name)}"
    lines = [head, *rows.reason_lines(row.reasons)]
    if not row.reasons:
        return [*lines, f"• Reasons {words.UNKNOWN}"]
    total = sum(reason.points for reason in row.reasons)
    return [*lines, f"• Together: **{words.points(total)}**"]


def _inputs(why: Why) -> list[str]:
    fan = why.profile

    def money(cents: int | None) -> str:
        return words.money(cents, fan.currency)

    def line(what: str, value: str, at_ms: int | None) -> str:
        return f"• {what}: **{value}** ({say.as_of(at_ms)})"

    standing = rows.subscription_words(fan.status, fan.expires_at, fan.rebill_off)
    active = words.UNKNOWN if fan.last_active_at is None else times.relative(fan.last_active_at)
    messages = words.UNKNOWN if fan.messages_30d is None else f"{fan.messages_30d:,}"
    opened = words.UNKNOWN if fan.ppv_open_rate is None else f"{round(fan.ppv_open_rate * 100)} %"
    return [
        "**What it is made of**",
        line("Spent in the last 30 days", money(fan.spend_30d_cents), why.payments_at),
        line("Spent in the 30 days before", money(fan.spend_prior_30d_cents), why.payments_at),
        line("Spent in all", money(fan.total_cents), fan.synced_at),
        line("Last active", active, fan.synced_at),
        line("Messages in 30 days", messages, why.messages_at),
        line("PPV unlocked", opened, why.messages_at),
        line("Subscription", standing, fan.synced_at),
    ]


def _origin(why: Why) -> str:
    fan = why.profile
    if fan.score_model is None:
        return "-# Not scored yet"
    return f"-# {say.scored(safe_name(fan.score_model), why.model_version, fan.scored_at)}"
