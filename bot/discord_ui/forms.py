"""Forms: what they are built of, and what comes back when one is submitted."""

from __future__ import annotations

import secrets
import string
from collections.abc import Sequence
from typing import Any

import discord

from bot.discord_ui import custom_ids
from bot.discord_ui.limits import FORM_FIELDS, FORM_LABEL_UNITS, FORM_TITLE_UNITS, clip_units
from bot.discord_ui.press import Fields

Field = discord.ui.Label[discord.ui.Modal]

_RANDOM_CHARS = string.ascii_letters + string.digits
_RANDOM_LENGTH = 8


def build_form(
    title: str, verb: str, kind: str, target_id: int, fields: Sequence[Field], *, arg: str | None = None
) -> discord.ui.Modal:
    """A form whose submission the router gets under `verb` (one of a Feature's `forms`), also after a restart.

    `arg` comes back as the beginning of the target's argument, before a dash and the random characters.

    The custom_id ends in eight random characters: clients keep what was typed into a form by its custom_id, and
    a second form about the same thing is to begin empty. `arg` (23 characters at most) stands before them and comes
    back through `form_arg`. Raises ValueError for more than five fields.
    """
    if not 1 <= len(fields) <= FORM_FIELDS:
        raise ValueError(f"a form has 1 to {FORM_FIELDS} fields, not {len(fields)}")
    nonce = "".join(secrets.choice(_RANDOM_CHARS) for _ in range(_RANDOM_LENGTH))
    modal = discord.ui.Modal(
        title=clip_units(title, FORM_TITLE_UNITS),
        custom_id=custom_ids.build(verb, kind, target_id, nonce if arg is None else f"{arg}-{nonce}"),
    )
    for field in fields:
        modal.add_item(field)
    return modal


def form_arg(target: custom_ids.Target) -> str | None:
    """What a form was opened with beside its target; None where there is nothing."""
    return (target.arg or "").rpartition("-")[0] or None


def form_id(target: custom_ids.Target) -> str | None:
    """The random part of a form: equal where the same form arrives twice."""
    return (target.arg or "").rpartition("-")[2] or None


def text_field(
    name: str,
    label: str,
    *,
    description: str | None = None,
    value: str | None = None,
    placeholder: str | None = None,
    long: bool = False,
    required: bool = True,
    max_length: int | None = None,
) -> Field:
    """A box to type in; `long` has several lines. `name` is the key in `Fields.texts`."""
    style = discord.TextStyle.paragraph if long else discord.TextStyle.short
    box: discord.ui.TextInput[discord.ui.Modal] = discord.ui.TextInput(
        custom_id=name,
        style=style,
        default=value,
        placeholder=placeholder,
        required=required,
        max_length=max_length,
    )
    return _labelled(label, description, box)


def choice_field(
    name: str,
    label: str,
    options: Sequence[tuple[str, str]],
    *,
    description: str | None = None,
    chosen: str | None = None,
    required: bool = True,
) -> Field:
    """A menu of (value, label), of which one can be chosen. `name` is the key in `Fields.choices`."""
    menu: discord.ui.Select[discord.ui.Modal] = discord.ui.Select(
        custom_id=name,
        required=required,
        min_values=1 if required else 0,
        options=[
            discord.SelectOption(label=text, value=value, default=value == chosen) for value, text in options
        ],
    )
    return _labelled(label, description, menu)


def labelled(label: str, item: Any, *, description: str | None = None) -> Field:
    """Any other input a form can hold (a UserSelect, RoleSelect, ChannelSelect) with its label."""
    return _labelled(label, description, item)


def _labelled(label: str, description: str | None, item: Any) -> Field:
    text = clip_units(label, FORM_LABEL_UNITS)
    return discord.ui.Label(text=text, description=description, component=item)


def read_fields(components: Any) -> Fields:
    """What a submitted form holds; anything that is not a field is left out."""
    texts: dict[str, str] = {}
    choices: dict[str, tuple[str, ...]] = {}
    for outer in components if isinstance(components, list) else ():
        inner = outer.get("components") or [outer.get("component")]
        for item in inner:
            if not isinstance(item, dict) or not isinstance(item.get("custom_id"), str):
                continue
            if "values" in item:
                choices[item["custom_id"]] = tuple(map(str, item["values"] or ()))
            else:
                texts[item["custom_id"]] = str(item.get("value") or "")
    return Fields(texts, choices)
