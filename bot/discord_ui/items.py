"""The button and the select that cards carry: stateless, alive across restarts, handed to the router."""

from __future__ import annotations

import re
from typing import Any, Protocol, Self, cast, runtime_checkable

import discord

from bot.discord_ui.forms import read_fields
from bot.discord_ui.limits import BUTTON_LABEL_UNITS, clip_units
from bot.discord_ui.press import Fields

# Wider than what `custom_ids` builds, so that a button of another version is answered too. Every pattern that
# matches is dispatched, so the two must not overlap.
BUTTON_TEMPLATE = re.compile(r"fw(?!1:pick_)[0-9]+:.+")
SELECT_TEMPLATE = re.compile(r"fw1:pick_.+")
FORM_TEMPLATE = re.compile(r"fw[0-9]+:.+")


class PressRouter(Protocol):
    """Answers presses; see `bot.discord_ui.router`."""

    async def press(
        self, interaction: discord.Interaction, custom_id: str, values: tuple[str, ...]
    ) -> None: ...

    async def submit(self, interaction: discord.Interaction, custom_id: str, fields: Fields) -> None: ...


@runtime_checkable
class HasRouter(Protocol):
    """The client a press arrives at."""

    @property
    def router(self) -> PressRouter: ...


def _router(interaction: discord.Interaction) -> PressRouter:
    client: object = interaction.client
    if not isinstance(client, HasRouter):
        raise TypeError("the client has no router")
    return client.router


async def _hand_over(interaction: discord.Interaction, custom_id: str, values: tuple[str, ...]) -> None:
    await _router(interaction).press(interaction, custom_id, values)


async def answer_form(interaction: discord.Interaction) -> None:
    """Hand over a submitted form of ours. discord.py keeps none of them: they outlive a restart."""
    data = cast("dict[str, Any]", interaction.data or {})
    custom_id = data.get("custom_id")
    if interaction.type is not discord.InteractionType.modal_submit or not isinstance(custom_id, str):
        return
    if FORM_TEMPLATE.fullmatch(custom_id):
        await _router(interaction).submit(interaction, custom_id, read_fields(data.get("components")))


async def answer_stray_press(interaction: discord.Interaction) -> None:
    """Hand over a press of ours whose component the message does not hold: discord.py drops those."""
    data = cast("dict[str, Any]", interaction.data or {})
    custom_id, kind = data.get("custom_id"), data.get("component_type")
    if interaction.type is not discord.InteractionType.component or not isinstance(custom_id, str):
        return
    if not (BUTTON_TEMPLATE.fullmatch(custom_id) or SELECT_TEMPLATE.fullmatch(custom_id)):
        return
    held = interaction.message.components if interaction.message is not None else []
    if not any(_holds(component, kind, custom_id) for component in held):
        await _hand_over(interaction, custom_id, tuple(map(str, data.get("values") or ())))


def _holds(component: discord.Component, kind: object, custom_id: str) -> bool:
    if component.type.value == kind and getattr(component, "custom_id", None) == custom_id:
        return True
    inner = [*(getattr(component, "children", None) or ()), getattr(component, "accessory", None)]
    return any(_holds(child, kind, custom_id) for child in inner if child is not None)


class RoutedButton(discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=BUTTON_TEMPLATE):
    """Any button with one of our custom_ids."""

    def __init__(self, item: discord.ui.Button[discord.ui.View]) -> None:
        super().__init__(item)

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction, item: discord.ui.Item[discord.ui.View], match: re.Match[str], /
    ) -> Self:
        if not isinstance(item, discord.ui.Button):
            raise TypeError(f"expected a button, not {type(item).__name__}")
        return cls(item)

    async def callback(self, interaction: discord.Interaction) -> None:
        await _hand_over(interaction, self.item.custom_id or "", ())


AnySelect = (
    discord.ui.Select[discord.ui.View]
    | discord.ui.UserSelect[discord.ui.View]
    | discord.ui.RoleSelect[discord.ui.View]
    | discord.ui.ChannelSelect[discord.ui.View]
)


class RoutedSelect(discord.ui.DynamicItem[AnySelect], template=SELECT_TEMPLATE):
    """Any select menu with one of our custom_ids; its verb begins with `pick_`."""

    def __init__(self, item: AnySelect) -> None:
        super().__init__(item)

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction, item: discord.ui.Item[discord.ui.View], match: re.Match[str], /
    ) -> Self:
        if not isinstance(
            item, (discord.ui.Select, discord.ui.UserSelect, discord.ui.RoleSelect, discord.ui.ChannelSelect)
        ):
            raise TypeError(f"expected a select, not {type(item).__name__}")
        return cls(item)

    async def callback(self, interaction: discord.Interaction) -> None:
        # People, roles and channels come resolved; the router wants the ids as they were sent.
        values = cast("dict[str, Any]", interaction.data or {}).get("values") or ()
        await _hand_over(interaction, self.item.custom_id, tuple(map(str, values)))


def button(
    label: str,
    custom_id: str,
    style: discord.ButtonStyle = discord.ButtonStyle.secondary,
    *,
    disabled: bool = False,
) -> RoutedButton:
    """A button that the router answers."""
    text = clip_units(label, BUTTON_LABEL_UNITS)
    return RoutedButton(discord.ui.Button(label=text, custom_id=custom_id, style=style, disabled=disabled))
