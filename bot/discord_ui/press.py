"""What a button, a select menu or a form hands to the part of the bot that answers it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import discord

from bot.discord_ui.answers import Answer
from bot.discord_ui.custom_ids import Target
from bot.domain.models import AccessTier, Viewer


@dataclass(frozen=True, slots=True)
class Fields:
    """What was filled into a form, by the custom_id of each field. Hostile text, as long as Discord lets it be."""

    texts: Mapping[str, str]
    choices: Mapping[str, tuple[str, ...]]

    def text(self, name: str) -> str:
        """What was typed, without blanks around it; empty where nothing was or there is no such field."""
        return self.texts.get(name, "").strip()

    def chosen(self, name: str) -> tuple[str, ...]:
        """The values chosen in a select of the form; ids as text for people, roles and channels."""
        return self.choices.get(name, ())


NO_FIELDS = Fields({}, {})


@dataclass(frozen=True, slots=True)
class Press:
    """One press, choice or submission of somebody who is a chatter at least. `values`: what a select menu holds."""

    interaction: discord.Interaction
    answer: Answer
    viewer: Viewer
    target: Target
    values: tuple[str, ...] = ()
    fields: Fields = NO_FIELDS

    @property
    def message_id(self) -> int:
        """The message that holds the component; 0 where there is none."""
        message = self.interaction.message
        return message.id if message is not None else 0

    @property
    def on_private_message(self) -> bool:
        message = self.interaction.message
        return message is not None and message.flags.ephemeral

    @property
    def on_layout(self) -> bool:
        message = self.interaction.message
        return message is not None and message.flags.components_v2


@dataclass(frozen=True, slots=True)
class Handler:
    """Who may use a verb, and what answers it. Which fans the person may see is for `run` to check."""

    run: Callable[[Press], Awaitable[None]]
    needs: AccessTier = AccessTier.CHATTER


class Feature(Protocol):
    """A part of the bot with verbs of its own: `verbs` of buttons and select menus, `forms` of submitted forms."""

    @property
    def verbs(self) -> Mapping[str, Handler]: ...

    @property
    def forms(self) -> Mapping[str, Handler]: ...
