"""Control API: what a member does. Commands, buttons, forms, autocomplete, and plain messages."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from aiohttp import web

from . import commands as kinds
from . import components as rules
from . import forms
from .commands import Commands, Found
from .content import MAX_CONTENT
from .control import BASE, Body, ControlError, answer, bad, body_of, guarded, mapping, text, whole
from .control_views import channel_of, member_of
from .gateway import Gateway
from .interactions import ACK_S, AUTOCOMPLETE, COMMAND, COMPONENT, MODAL_SUBMIT, Interaction, Interactions
from .messages import Messages
from .model import Channel, Member, Message
from .payloads import OptionError, Payloads
from .permissions import Permission
from .world import World

_WAIT_MS: Final = 5000
_MAX_WAIT_MS: Final = 120_000


class ActEndpoints:
    def __init__(
        self,
        world: World,
        messages: Messages,
        commands: Commands,
        interactions: Interactions,
        gateway: Gateway,
    ) -> None:
        self._world = world
        self._messages = messages
        self._commands = commands
        self._interactions = interactions
        self._gateway = gateway
        self._payloads = Payloads(world, messages)

    def add_routes(self, app: web.Application) -> None:
        for name, handler in (
            ("slash", self.slash),
            ("press", self.press),
            ("submit", self.submit),
            ("autocomplete", self.autocomplete),
            ("say", self.say),
        ):
            app.router.add_post(f"{BASE}/{name}", guarded(handler))

    # Who, where, and whether they see it

    def _actor(self, body: Body) -> tuple[Member, Channel, bool]:
        member = member_of(self._world, text(body, "user"))
        if member.user.bot:
            bad("user", "the bot does not act by itself here")
        channel = channel_of(self._world, text(body, "channel"))
        return member, channel, bool(body.get("forge"))

    def _offered(self, member: Member, channel: Channel, command: dict[str, Any]) -> bool:
        """Whether Discord's client offers the command to the member in the channel."""
        bits = self._world.permissions_in(member, channel)
        if not bits & Permission.USE_APPLICATION_COMMANDS:
            return False
        needed = command.get("default_member_permissions")
        if needed is None or bits & Permission.ADMINISTRATOR:
            return True
        wanted = int(needed)
        return wanted != 0 and bits & wanted == wanted

    def _find(self, body: Body) -> Found:
        typed = text(body, "command")
        try:
            return self._commands.find(typed)
        except KeyError:
            raise ControlError(404, "unknown_command", f"no command is {typed}", "command") from None

    def _usable(self, member: Member, channel: Channel, found: Found) -> bool:
        return (
            not self._shut(member, channel, found)
            and self._world.sees(member, channel)
            and self._offered(member, channel, found.command)
        )

    def _shut(self, member: Member, channel: Channel, found: Found) -> bool:
        """Whether the channel is a thread in which the member cannot type the command."""
        thread = channel.thread
        if thread is None:
            return False
        locked = thread.locked and found.command["type"] == kinds.CHAT_INPUT
        manages = self._world.permissions_in(member, channel) & Permission.MANAGE_THREADS
        return thread.archived or (locked and not manages)

    # Doing it

    async def slash(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        member, channel, forge = self._actor(body)
        found = self._find(body)
        options = mapping(body, "options")
        if not forge and not self._usable(member, channel, found):
            return answer(_refused("not_visible"))
        try:
            if found.command["type"] == kinds.CHAT_INPUT:
                data = self._payloads.command(found, options, forge=forge)
            else:
                target = self._target(body, options, member, channel, found, forge=forge)
                if target is None:
                    return answer(_refused("not_visible"))
                data = self._payloads.menu(found, target)
        except OptionError as error:
            bad(error.field, str(error))
        interaction = self._interactions.open(
            COMMAND,
            member,
            channel,
            name=" ".join([found.command["name"], *(part for part, _ in found.path)]),
            command_type=found.command["type"],
            target_id=int(data.get("target_id", 0)),
        )
        return await self._act(interaction, data, body)

    def _target(
        self, body: Body, options: Body, member: Member, channel: Channel, found: Found, *, forge: bool
    ) -> str | None:
        """The id of what a menu command is used on; None = a message that the member does not see."""
        is_message = found.command["type"] == kinds.MESSAGE_MENU
        given = body.get("target") or options.get("target")
        given = given or options.get("message" if is_message else "user")
        target = text({"target": given}, "target")
        if is_message and not forge:
            message = self._pressed(channel, target, field="target")
            return target if self._shown(member, channel, message) else None
        return target

    async def press(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        member, channel, forge = self._actor(body)
        custom_id = text(body, "custom_id")
        message = self._pressed(channel, text(body, "message"), forge=forge)
        values = body.get("values") or []
        if not isinstance(values, list):
            bad("values", "values is a list")
        values = [str(value) for value in values]
        if not forge and not self._shown(member, channel, message):
            return answer(_refused("not_visible"))
        component = rules.find(message.components, custom_id)
        if component is None:
            if not forge:
                raise ControlError(404, "unknown_component", "the message has no such component", "custom_id")
            component = {
                "type": rules.Kind.STRING_SELECT if values else rules.Kind.BUTTON,
                "custom_id": custom_id,
            }
        elif component.get("disabled") and not forge:
            raise ControlError(409, "disabled", "the component is disabled", "custom_id")
        kind = int(component["type"])
        if not forge:
            forms.check_values(component, values)
        data: dict[str, Any] = {"custom_id": custom_id, "component_type": kind, "id": component.get("id", 1)}
        if kind in rules.SELECTS:
            data["values"] = values
            try:
                # Discord resolves ids of users, roles and channels; a menu of texts has none to resolve.
                if kind != rules.Kind.STRING_SELECT:
                    data["resolved"] = self._payloads.resolve_values(
                        component, values, field="values", forge=forge
                    )
            except OptionError as error:
                bad(error.field, str(error))
        interaction = self._interactions.open(COMPONENT, member, channel, source=message, custom_id=custom_id)
        return await self._act(interaction, data, body)

    def _pressed(
        self, channel: Channel, message_id: str, *, forge: bool = False, field: str = "message"
    ) -> Message:
        message = self._messages.by_id.get(int(message_id)) if message_id.isdecimal() else None
        if message is None or message.channel_id != channel.id or (message.deleted and not forge):
            raise ControlError(404, "unknown_message", "the channel has no such message", field)
        return message

    def _shown(self, member: Member, channel: Channel, message: Message) -> bool:
        private = message.ephemeral_for is not None and message.ephemeral_for != member.user.id
        return not private and self._world.sees(member, channel)

    async def submit(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        member, channel, forge = self._actor(body)
        custom_id = text(body, "custom_id")
        fields = mapping(body, "fields")
        opened_by = self._opener(body)
        modal = opened_by.modal if opened_by is not None else None
        if not forge and not self._world.sees(member, channel):
            return answer(_refused("not_visible"))
        if forge and (modal is None or modal["custom_id"] != custom_id):
            components = forms.forged(fields)
        else:
            if opened_by is None or modal is None or modal["custom_id"] != custom_id:
                raise ControlError(404, "unknown_modal", "that interaction showed no such form", "custom_id")
            if not forge:
                _check_submitter(opened_by, member, channel)
            components = forms.filled(modal["components"], fields, lenient=forge)
        data: dict[str, Any] = {"custom_id": custom_id, "components": components}
        try:
            data["resolved"] = self._resolved(modal, components, forge=forge)
        except OptionError as error:
            bad(error.field, str(error))
        source = opened_by.source if opened_by is not None else None
        interaction = self._interactions.open(
            MODAL_SUBMIT, member, channel, source=source, custom_id=custom_id, opener=opened_by
        )
        if opened_by is not None and self._gateway.connected:
            opened_by.submission = interaction
        return await self._act(interaction, data, body)

    def _resolved(
        self, modal: dict[str, Any] | None, components: list[dict[str, Any]], *, forge: bool
    ) -> dict[str, Any]:
        """What is sent with the ids chosen in a form's selects of users, roles and channels."""
        merged: dict[str, Any] = {}
        for one in rules.walk(components):
            shown = rules.find(modal["components"], one["custom_id"]) if modal and "values" in one else None
            found = self._payloads.resolve_values(
                shown or one, one.get("values") or [], field=f"fields.{one.get('custom_id')}", forge=forge
            )
            for key, value in found.items():
                merged.setdefault(key, {}).update(value)
        return merged

    def _opener(self, body: Body) -> Interaction | None:
        given = body.get("opened_by")
        if given is None:
            if body.get("forge"):
                return None
            bad("opened_by", "opened_by is missing")
        found = self._interactions.get_by_id(int(given)) if str(given).isdecimal() else None
        if found is None and not body.get("forge"):
            raise ControlError(404, "unknown_interaction", "no interaction has that id", "opened_by")
        return found

    async def autocomplete(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        member, channel, forge = self._actor(body)
        found = self._find(body)
        focused = text(body, "focused")
        options = {focused: "", **mapping(body, "options")}
        option = next((one for one in found.options if one["name"] == focused), None)
        if option is None or not option.get("autocomplete"):
            bad("focused", f"the command completes no option {focused}")
        if not forge and not self._usable(member, channel, found):
            return answer({"choices": [], "ms": 0.0, "error": {"code": "not_visible"}})
        try:
            data = self._payloads.command(found, options, forge=forge, focused=focused)
        except OptionError as error:
            bad(error.field, str(error))
        interaction = self._interactions.open(AUTOCOMPLETE, member, channel, option_kind=option["type"])
        if not self._gateway.connected:
            return answer({"choices": [], "ms": 0.0, "error": {"code": "bot_down"}})
        self._send(interaction, data)
        await _until(interaction, ACK_S)
        if interaction.choices is None:
            return answer(
                {"choices": [], "ms": round(interaction.since_start_ms(), 3), "error": {"code": "no_ack"}}
            )
        return answer(
            {"choices": interaction.choices, "ms": round(interaction.ack_ms or 0.0, 3), "error": None}
        )

    async def say(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        member, channel, _ = self._actor(body)
        said = text(body, "content")
        if len(said) > MAX_CONTENT:
            bad("content", f"at most {MAX_CONTENT} characters")
        bits = self._world.permissions_in(member, channel)
        sending = Permission.SEND_MESSAGES if channel.thread is None else Permission.SEND_MESSAGES_IN_THREADS
        if not bits & Permission.VIEW_CHANNEL or not bits & sending:
            raise ControlError(409, "not_visible", "the member cannot write there", "channel")
        content: dict[str, Any] = {"content": said}
        if body.get("reply_to") is not None:
            content["message_reference"] = {
                "message_id": str(self._answered(member, channel, text(body, "reply_to")).id)
            }
        if channel.thread is not None and channel.thread.locked and not bits & Permission.MANAGE_THREADS:
            raise ControlError(409, "locked", "the thread is locked", "channel")
        self._messages.open_thread(channel, member)
        message = self._messages.create(channel, member.user, content)
        return answer({"message": str(message.id)})

    def _answered(self, member: Member, channel: Channel, message_id: str) -> Message:
        message = self._pressed(channel, message_id, field="reply_to")
        if message.ephemeral_for is not None or not self._shown(member, channel, message):
            raise ControlError(409, "not_visible", "nobody can answer that message", "reply_to")
        return message

    # Waiting for the bot

    def _send(self, interaction: Interaction, data: dict[str, Any]) -> None:
        self._world.emit("INTERACTION_CREATE", self._payloads.interaction(interaction, data))

    async def _act(self, interaction: Interaction, data: dict[str, Any], body: Body) -> web.Response:
        if not self._gateway.connected:
            return answer(_refused("bot_down") | {"interaction": str(interaction.id)})
        wait_s = whole(body, "wait_ms", _WAIT_MS, high=_MAX_WAIT_MS) / 1000
        self._send(interaction, data)
        await _until(interaction, wait_s)
        return answer(_result(interaction))


def _check_submitter(opened_by: Interaction, member: Member, channel: Channel) -> None:
    if opened_by.member is not member or opened_by.channel is not channel:
        raise ControlError(409, "not_yours", "the form was shown to somebody else or elsewhere", "opened_by")
    # A form whose submission failed stays open, and can be submitted again.
    if opened_by.submission is not None and not opened_by.submission.is_failed:
        raise ControlError(409, "submitted", "the form has been submitted", "opened_by")


async def _until(interaction: Interaction, wait_s: float) -> None:
    """Until it is settled, `wait_s` has passed, or three seconds without an acknowledgement."""
    loop = asyncio.get_running_loop()
    end = loop.time() + wait_s
    ack_end = loop.time() + ACK_S
    while not interaction.settled:
        interaction.progress.clear()
        left = (end if interaction.acked else min(end, ack_end)) - loop.time()
        if left <= 0:
            return
        try:
            await asyncio.wait_for(interaction.progress.wait(), left)
        except TimeoutError:
            continue


def _result(interaction: Interaction) -> dict[str, Any]:
    late = interaction.acked is None and interaction.since_start_ms() >= ACK_S * 1000 - 5
    return {
        "interaction": str(interaction.id),
        "acked": interaction.acked or "none",
        "ack_ms": _rounded(interaction.ack_ms),
        "deferred": interaction.deferred,
        "ephemeral": interaction.ephemeral,
        "settled": interaction.settled,
        "settled_ms": _rounded(interaction.settled_ms),
        "messages": [message.to_sandbox_json() for message in interaction.touched.values()],
        "modal": interaction.modal,
        "error": {"code": "no_ack"} if late else None,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _refused(code: str) -> dict[str, Any]:
    return {
        "interaction": None,
        "acked": "none",
        "ack_ms": None,
        "deferred": False,
        "ephemeral": None,
        "settled": False,
        "settled_ms": None,
        "messages": [],
        "modal": None,
        "error": {"code": code},
    }
