"""INTERACTION_CREATE as Discord sends it; a member's options checked against the registered command."""

from __future__ import annotations

from typing import Any, Final

from . import commands as kinds
from .commands import Found
from .components import Kind
from .interactions import COMPONENT, MODAL_SUBMIT, Interaction
from .messages import Messages
from .model import Channel, Member, MessageFlag
from .world import World

_ATTACHMENT_LIMIT: Final = 10 * 1024 * 1024
_RESOLVED_KINDS: Final = (kinds.USER, kinds.CHANNEL, kinds.ROLE, kinds.MENTIONABLE)


_OPTION_OF_SELECT: Final[dict[int, int]] = {
    Kind.USER_SELECT: kinds.USER,
    Kind.ROLE_SELECT: kinds.ROLE,
    Kind.MENTIONABLE_SELECT: kinds.MENTIONABLE,
    Kind.CHANNEL_SELECT: kinds.CHANNEL,
}


class OptionError(ValueError):
    """An option Discord's client would not have sent. `field` is its name."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class Payloads:
    def __init__(self, world: World, messages: Messages) -> None:
        self._world = world
        self._messages = messages

    def interaction(self, interaction: Interaction, data: dict[str, Any]) -> dict[str, Any]:
        world = self._world
        member, channel = interaction.member, interaction.channel
        bits = world.permissions_in(member, channel)
        bot_bits = world.permissions_in(world.members[world.bot.id], channel)
        guild_id = str(world.guild_id)
        wire: dict[str, Any] = {
            "id": str(interaction.id),
            "application_id": str(world.application_id),
            "type": interaction.type,
            "token": interaction.token,
            "version": 1,
            "context": 0,
            "data": data,
            "guild_id": guild_id,
            "guild": {"id": guild_id, "locale": "en-US", "features": []},
            "guild_locale": "en-US",
            "locale": "en-US",
            "channel_id": str(channel.id),
            "channel": world.channel_json(channel) | {"permissions": str(bits)},
            "member": member.to_json() | {"permissions": str(bits)},
            "app_permissions": str(bot_bits),
            "authorizing_integration_owners": {"0": guild_id},
            "entitlements": [],
            "entitlement_sku_ids": [],
            "attachment_size_limit": _ATTACHMENT_LIMIT,
        }
        if interaction.type in (COMPONENT, MODAL_SUBMIT) and interaction.source is not None:
            message = self._messages.to_json(interaction.source)
            if interaction.source.ephemeral_for is not None:
                message["flags"] = interaction.source.flags | int(MessageFlag.EPHEMERAL)
            wire["message"] = message
        return wire

    def command(
        self, found: Found, given: dict[str, Any], *, forge: bool, focused: str | None = None
    ) -> dict[str, Any]:
        """The data of a slash command or, with `focused`, of its autocomplete. Raises OptionError.

        While something is being completed nothing is required, as the rest may not be typed yet, and of
        users, roles and channels only the ids are sent.
        """
        by_name = {option["name"]: option for option in found.options}
        is_whole = focused is None
        options: list[dict[str, Any]] = []
        resolved: dict[str, dict[str, Any]] = {}
        for name, value in given.items():
            option = by_name.get(name)
            if option is None:
                raise OptionError(name, f"the command has no option {name}")
            if value is None:
                continue
            sent: dict[str, Any] = {"name": name, "type": option["type"], "value": value}
            if name == focused:
                sent["focused"] = True
                sent["value"] = str(value)
            else:
                if not forge:
                    _check_value(option, value)
                if is_whole and option["type"] in _RESOLVED_KINDS:
                    self._resolve(option, name, str(value), resolved, lenient=forge)
            options.append(sent)
        if is_whole and not forge:
            missing = next(
                (
                    one["name"]
                    for one in found.options
                    if one.get("required") and given.get(one["name"]) is None
                ),
                None,
            )
            if missing is not None:
                raise OptionError(missing, f"the option {missing} is required")
        for name, kind in reversed(found.path):
            options = [{"name": name, "type": kind, "options": options}]
        data = self._about(found.command)
        if options:
            data["options"] = options
        if resolved:
            data["resolved"] = resolved
        return data

    def menu(self, found: Found, target: str) -> dict[str, Any]:
        """The data of a command on a user or a message. Raises OptionError for an unknown target."""
        resolved: dict[str, dict[str, Any]] = {}
        if found.command["type"] == kinds.USER_MENU:
            self._resolve({"type": kinds.USER}, "target", target, resolved)
        else:
            message = self._messages.by_id.get(int(target)) if target.isdecimal() else None
            if message is None or message.deleted:
                raise OptionError("target", "no such message")
            resolved["messages"] = {target: self._messages.to_json(message)}
        return self._about(found.command) | {"target_id": target, "resolved": resolved}

    def _about(self, command: dict[str, Any]) -> dict[str, Any]:
        about = {"id": command["id"], "name": command["name"], "type": command["type"]}
        if "guild_id" in command:
            about["guild_id"] = command["guild_id"]
        return about

    def resolve_values(
        self, select: dict[str, Any], values: list[str], *, field: str, forge: bool
    ) -> dict[str, Any]:
        """What is sent with the ids chosen in a select of users, roles or channels. Raises OptionError."""
        kind = _OPTION_OF_SELECT.get(int(select["type"]))
        resolved: dict[str, dict[str, Any]] = {}
        if kind is not None:
            of_kind = {"type": kind, "channel_types": select.get("channel_types")}
            for value in values:
                self._resolve(of_kind, field, value, resolved, lenient=forge)
        return resolved

    def _resolve(
        self,
        option: dict[str, Any],
        field: str,
        value: str,
        resolved: dict[str, dict[str, Any]],
        *,
        lenient: bool = False,
    ) -> None:
        """Adds what an id stands for. `lenient` leaves out what it does not find, else OptionError."""
        world = self._world
        kind = option["type"]
        types = option.get("channel_types")
        number = int(value) if value.isdecimal() else 0
        if kind in (kinds.USER, kinds.MENTIONABLE) and number in world.members:
            member = world.members[number]
            resolved.setdefault("users", {})[value] = member.user.to_json()
            resolved.setdefault("members", {})[value] = _partial_member(
                member, world.guild_permissions(member)
            )
        elif kind in (kinds.ROLE, kinds.MENTIONABLE) and number in world.roles:
            resolved.setdefault("roles", {})[value] = world.roles[number].to_json()
        elif (
            kind == kinds.CHANNEL
            and number in world.channels
            and (not types or world.channels[number].type in types or lenient)
        ):
            resolved.setdefault("channels", {})[value] = self._partial_channel(world.channels[number])
        elif not lenient:
            raise OptionError(field, f"nothing of that kind has the id {value}")

    def _partial_channel(self, channel: Channel) -> dict[str, Any]:
        bits = self._world.permissions_in(self._world.members[self._world.bot.id], channel)
        return self._world.channel_json(channel) | {"permissions": str(bits)}


def _partial_member(member: Member, bits: int) -> dict[str, Any]:
    return member.to_json(with_user=False) | {"permissions": str(bits)}


def _check_value(option: dict[str, Any], value: Any) -> None:
    name, kind = option["name"], option["type"]
    right = {
        kinds.STRING: isinstance(value, str),
        kinds.INTEGER: isinstance(value, int) and not isinstance(value, bool),
        kinds.BOOLEAN: isinstance(value, bool),
        kinds.NUMBER: isinstance(value, int | float) and not isinstance(value, bool),
    }.get(kind, isinstance(value, str) and value.isdecimal())
    if not right:
        raise OptionError(name, f"{value!r} is not a value for the option {name}")
    if kind == kinds.ATTACHMENT:
        raise OptionError(name, "files cannot be given here")
    choices = option.get("choices") or []
    if choices and not any(choice["value"] == value for choice in choices):
        raise OptionError(name, f"{value!r} is none of the choices of {name}")
    if kind == kinds.STRING:
        _check_range(name, len(value), option.get("min_length"), option.get("max_length") or 6000)
    elif kind in (kinds.INTEGER, kinds.NUMBER):
        _check_range(name, value, -kinds.MAX_WHOLE, kinds.MAX_WHOLE)
        _check_range(name, value, option.get("min_value"), option.get("max_value"))


def _check_range(name: str, value: float, low: float | None, high: float | None) -> None:
    if low is not None and value < low:
        raise OptionError(name, f"the option {name} is less than {low}")
    if high is not None and value > high:
        raise OptionError(name, f"the option {name} is more than {high}")
