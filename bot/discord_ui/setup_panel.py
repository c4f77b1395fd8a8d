"""The private panel of /setup: an overview and a page for each step, all layouts, so that one turns into another."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import discord

from bot.discord_ui import custom_ids, words
from bot.discord_ui.items import RoutedSelect, button
from bot.discord_ui.limits import (
    LAYOUT_TEXT_UNITS,
    SELECT_LABEL_UNITS,
    SELECT_OPTIONS,
    clip_units,
)
from bot.discord_ui.rendered import RenderedMessage
from bot.discord_ui.safe import clean_name, safe_name
from bot.discord_ui.words import setup as told
from bot.domain.base36 import encode
from bot.domain.models import AccessTier, AccountRecord
from bot.services.creator_results import account_name, account_token
from bot.services.setup import TIERS, SetupCreator, SetupState

PAGE = "setup"
"""Turns to the page named by its argument; of a creator (kind `c`) to hers."""
FORM = "setup_zone"
FINISH = "setup_finish"
MAKE = "setup_make"
PICK_ROLES = "pick_roles"
PICK_NOTICES = "pick_notices"
PICK_ACCOUNT = "pick_account"
PICK_CREATOR = "pick_creator"
PICK_CHANNEL = "pick_channel"
PICK_TEAM = "pick_team"
PICK_MOVE = "pick_move"
PICK_CHATTER = "pick_chatter"
PICK_LEAD = "pick_lead"
ZONE_SENT = "setup_zone_sent"

KIND, CREATOR_KIND = "u", "c"
_MOST_ROLES = 25
_LISTED = 30
_MARGIN = 200


class _Chosen(discord.SelectDefaultValue):
    """Sends its id as the string that Discord's contract asks for; the library sends numbers."""

    def to_dict(self) -> Any:
        return {"id": str(self.id), "type": self.type.value}


@dataclass(frozen=True, slots=True)
class Panel:
    """What every page shows: the state, agency time in its zone, and what was just done."""

    state: SetupState
    local: datetime | None
    said: str | None = None


def render_overview(panel: Panel) -> RenderedMessage:
    """What is chosen and what is missing, with a button for each step."""
    state = panel.state
    roles = [f"{told.TIERS[tier]} {_mentions(state.roles[tier])}" for tier in TIERS if state.roles[tier]]
    zone = told.zone_line(state.timezone, _clock(panel)) if state.timezone is not None else None
    notices = f"<#{state.notice_channel_id}>" if state.notice_channel_id is not None else None
    creators = words.count(len(state.creators), "creator", "creators") if state.creators else None
    values = {"roles": " · ".join(roles) or None, "zone": zone, "notices": notices, "creators": creators}
    lines = [_step(name, values[key], told.WHAT_IS_MISSING[key]) for key, name in told.STEPS.items()]
    layout = _layout(
        [told.TITLE, told.DONE_NOTE if state.done else told.HOW, "", *lines, "", told.SETTINGS_HINT], panel
    )
    steps = [
        _page(told.STEPS["roles"], "roles"),
        button(told.STEPS["zone"], custom_ids.build(FORM, KIND, 0)),
        _page(told.STEPS["notices"], "notices"),
        _page(told.STEPS["creators"], "creators"),
    ]
    layout.add_item(discord.ui.ActionRow(*steps))
    finish = button(told.FINISH, custom_ids.build(FINISH, KIND, 0), discord.ButtonStyle.success)
    layout.add_item(discord.ui.ActionRow(finish))
    return _rendered(layout)


def render_roles(panel: Panel, known_roles: Collection[int]) -> RenderedMessage:
    """A menu of roles for each tier. `known_roles`: those the server still has; others cannot be shown as chosen."""
    layout = _layout([told.ROLES_HELP, *(f"- {told.TIERS[t]}: {told.TIER_MEANS[t]}" for t in TIERS)], panel)
    for tier in TIERS:
        chosen = [role_id for role_id in panel.state.roles[tier] if role_id in known_roles]
        _add(
            layout,
            discord.ui.RoleSelect(
                custom_id=custom_ids.build(PICK_ROLES, KIND, 0, tier.name.lower()),
                placeholder=told.PICK_ROLES.format(tier=told.TIERS[tier].lower()),
                min_values=0,
                max_values=_MOST_ROLES,
                default_values=[
                    _Chosen(id=role_id, type=discord.SelectDefaultValueType.role)
                    for role_id in chosen[:_MOST_ROLES]
                ],
            ),
        )
    return _rendered(_with_back(layout))


def render_notices(panel: Panel) -> RenderedMessage:
    chosen = panel.state.notice_channel_id
    now = f"<#{chosen}>" if chosen is not None else told.NONE
    layout = _layout([told.NOTICES_HELP, f"Chosen: {now}"], panel)
    _add(
        layout,
        discord.ui.ChannelSelect(
            custom_id=custom_ids.build(PICK_NOTICES, KIND, 0),
            placeholder=told.PICK_NOTICES,
            channel_types=[discord.ChannelType.text],
        ),
    )
    return _rendered(_with_back(layout))


def render_creators(panel: Panel, free: Sequence[AccountRecord] | None, page: int) -> RenderedMessage:
    """Who is mapped, and menus of who is not and who is. `free` None: the data API does not answer."""
    mapped = panel.state.creators
    lines = [f"✅ {_creator_line(one)}" for one in mapped[:_LISTED]]
    if len(mapped) > _LISTED:
        lines.append(f"… and {len(mapped) - _LISTED:,} more")
    if free is None:
        lines.append(f"⚠️ {told.NO_ANSWER}")
    elif not free:
        lines.append(told.NO_FREE_ACCOUNTS)
    else:
        lines.append(f"{words.count(len(free), 'account is', 'accounts are')} not mapped yet.")
    layout = _layout([told.CREATORS_HELP, *lines], panel)
    pages = max(1, -(-max(len(free or ()), len(mapped)) // SELECT_OPTIONS))
    page = min(max(page, 0), pages - 1)
    accounts = list(free or ())[page * SELECT_OPTIONS : (page + 1) * SELECT_OPTIONS]
    if accounts:
        options = [
            (account_token(one.account_id), _label(account_name(one)), one.username) for one in accounts
        ]
        _add(layout, _menu(PICK_ACCOUNT, told.PICK_ACCOUNT, options))
    shown = mapped[page * SELECT_OPTIONS : (page + 1) * SELECT_OPTIONS]
    if shown:
        of = [(encode(one.creator_id), _label(one.name), None) for one in shown]
        _add(layout, _menu(PICK_CREATOR, told.PICK_CREATOR, of))
    if pages > 1:
        layout.add_item(
            discord.ui.ActionRow(
                _page(words.PREVIOUS, f"creators-{max(page - 1, 0)}-p", disabled=page == 0),
                _page(words.NEXT, f"creators-{page + 1}-n", disabled=page == pages - 1),
            )
        )
    return _rendered(_with_back(layout))


def render_account(panel: Panel, account: AccountRecord) -> RenderedMessage:
    """Where the alerts of an account that is not mapped yet shall go."""
    token = account_token(account.account_id)
    name = safe_name(account_name(account)) or words.UNKNOWN
    layout = _layout([f"**{name}**: which channel do her alerts go to?"], panel)
    _add(
        layout,
        discord.ui.ChannelSelect(
            custom_id=custom_ids.build(PICK_CHANNEL, KIND, 0, token),
            placeholder=told.PICK_CHANNEL,
            channel_types=[discord.ChannelType.text],
        ),
    )
    _add(
        layout,
        discord.ui.RoleSelect(
            custom_id=custom_ids.build(PICK_TEAM, KIND, 0, token),
            placeholder=told.PICK_TEAM,
            max_values=_MOST_ROLES,
        ),
    )
    layout.add_item(discord.ui.ActionRow(button(told.MAKE_CHANNEL, custom_ids.build(MAKE, KIND, 0, token))))
    return _rendered(_with_back(layout, "creators"))


def render_creator(panel: Panel, creator: SetupCreator) -> RenderedMessage:
    """Who works for a creator who is mapped, and where."""
    layout = _layout([f"✅ {_creator_line(creator)}"], panel)
    for verb, placeholder in ((PICK_CHATTER, told.PICK_CHATTER), (PICK_LEAD, told.PICK_LEAD)):
        _add(
            layout,
            discord.ui.UserSelect(
                custom_id=custom_ids.build(verb, CREATOR_KIND, creator.creator_id),
                placeholder=placeholder,
                min_values=0,
            ),
        )
    _add(
        layout,
        discord.ui.ChannelSelect(
            custom_id=custom_ids.build(PICK_MOVE, CREATOR_KIND, creator.creator_id),
            placeholder=told.PICK_MOVE,
            channel_types=[discord.ChannelType.text],
        ),
    )
    return _rendered(_with_back(layout, "creators"))


def page_of(arg: str | None) -> tuple[str, int]:
    """The page that a button's argument names, and its number: `creators-2-n` is ("creators", 2)."""
    name, _, rest = (arg or "").partition("-")
    return name, custom_ids.parse_page(rest.partition("-")[0])


def _layout(lines: list[str], panel: Panel) -> discord.ui.LayoutView:
    layout = discord.ui.LayoutView(timeout=None)
    if panel.said is not None:
        lines = [*lines, "", panel.said]
    text = clip_units("\n".join(lines), LAYOUT_TEXT_UNITS - _MARGIN)
    layout.add_item(discord.ui.TextDisplay(text))
    return layout


def _rendered(layout: discord.ui.LayoutView) -> RenderedMessage:
    return RenderedMessage(None, (), layout, is_layout=True, live=True)


def _add(
    layout: discord.ui.LayoutView,
    select: discord.ui.Select[discord.ui.View]
    | discord.ui.UserSelect[discord.ui.View]
    | discord.ui.RoleSelect[discord.ui.View]
    | discord.ui.ChannelSelect[discord.ui.View],
) -> None:
    layout.add_item(discord.ui.ActionRow(RoutedSelect(select)))


def _menu(
    verb: str, placeholder: str, options: Sequence[tuple[str, str, str | None]]
) -> discord.ui.Select[discord.ui.View]:
    return discord.ui.Select(
        custom_id=custom_ids.build(verb, KIND, 0),
        placeholder=placeholder,
        options=[
            discord.SelectOption(
                value=value, label=label, description=_label(about) if about is not None else None
            )
            for value, label, about in options
        ],
    )


def _page(
    label: str, page: str, *, disabled: bool = False
) -> discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]]:
    return button(label, custom_ids.build(PAGE, KIND, 0, page), disabled=disabled)


def _with_back(layout: discord.ui.LayoutView, page: str = "overview") -> discord.ui.LayoutView:
    layout.add_item(discord.ui.ActionRow(_page(told.BACK, page)))
    return layout


def _step(name: str, value: str | None, missing: str) -> str:
    return f"✅ **{name}**: {value}" if value is not None else f"▫️ **{name}**: missing ({missing})"


def _creator_line(creator: SetupCreator) -> str:
    parts = [f"**{safe_name(creator.name)}** in <#{creator.channel_id}>"]
    who = f"<@{creator.default_chatter_id}>" if creator.default_chatter_id is not None else told.NONE
    parts.append(f"default chatter {who}")
    if creator.lead_ids:
        parts.append(f"lead {' '.join(f'<@{user_id}>' for user_id in creator.lead_ids[:5])}")
    return " · ".join(parts)


def _clock(panel: Panel) -> str:
    return panel.local.strftime("%H:%M on %A") if panel.local is not None else words.UNKNOWN


def _mentions(role_ids: tuple[int, ...]) -> str:
    return " ".join(f"<@&{role_id}>" for role_id in role_ids)


def _label(text: str) -> str:
    return clip_units(clean_name(text, 60) or words.UNKNOWN, SELECT_LABEL_UNITS)


def tier_named(name: str | None) -> AccessTier | None:
    """The tier in a menu's custom_id; None for any other text."""
    return next((tier for tier in TIERS if tier.name.lower() == name), None)
