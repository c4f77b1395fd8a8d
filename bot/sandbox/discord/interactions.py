"""Interactions: what a member does, and the bot's answer to it as it develops."""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass, field
from typing import Any, Final

from . import components as rules
from . import content, modals
from .commands import CHAT_INPUT, MESSAGE_MENU, USER_MENU, check_choices
from .errors import (
    ALREADY_ACKNOWLEDGED,
    INVALID_WEBHOOK_TOKEN,
    UNKNOWN_INTERACTION,
    UNKNOWN_MESSAGE,
    UNKNOWN_WEBHOOK,
    Form,
    api_error,
)
from .messages import Messages
from .model import Channel, Member, Message, MessageFlag, MessageType
from .wire import Call, Reply, Route, route
from .world import World

COMMAND: Final = 2
COMPONENT: Final = 3
AUTOCOMPLETE: Final = 4
MODAL_SUBMIT: Final = 5

ACK_S: Final = 3.0
TOKEN_S: Final = 900.0
_EXPECTED: Final = {
    4: "message",
    5: "deferred",
    6: "deferred_update",
    7: "update",
    8: "choices",
    9: "modal",
}
_DATA: Final = ("data",)


@dataclass(slots=True)
class Interaction:
    """One interaction and what has come of it.

    Attributes:
        target_id: the message or user a menu command was used on; 0 = it is none.
        opener: what showed the form that this submits; None = another kind, or a forged one.
        submission: how the form that this showed was submitted last; None = not yet.
        source: the message that a pressed component, or the component behind a modal, is on.
        acked: the kind of the first answer; None = none yet.
        ack_ms, settled_ms: from dispatch, monotonic; None = not yet.
        original: what @original is: the answer, or the message it updates.
        touched: ids of the messages created or edited through it, in order.
        progress: set whenever any of this changes.
    """

    id: int
    token: str
    type: int
    member: Member
    channel: Channel
    created_at: float
    started: float
    name: str = ""
    command_type: int = CHAT_INPUT
    target_id: int = 0
    option_kind: int = 3
    opener: Interaction | None = None
    source: Message | None = None
    custom_id: str | None = None
    acked: str | None = None
    ack_ms: float | None = None
    deferred: bool = False
    ephemeral: bool | None = None
    settled_ms: float | None = None
    original: Message | None = None
    touched: dict[int, Message] = field(default_factory=dict)
    modal: dict[str, Any] | None = None
    submission: Interaction | None = None
    choices: list[dict[str, Any]] | None = None
    progress: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def settled(self) -> bool:
        return self.settled_ms is not None

    def since_start_ms(self) -> float:
        return (time.perf_counter() - self.started) * 1000

    @property
    def is_failed(self) -> bool:
        """Whether its time has passed without an answer."""
        return self.acked is None and self.since_start_ms() >= ACK_S * 1000

    def settle(self) -> None:
        if self.settled_ms is None:
            self.settled_ms = self.since_start_ms()
        self.progress.set()


class Interactions:
    """All interactions of a run, and the endpoints the bot answers them at."""

    def __init__(self, world: World, messages: Messages) -> None:
        self._world = world
        self._messages = messages
        self._by_id: dict[int, Interaction] = {}
        self._by_token: dict[str, Interaction] = {}

    def routes(self) -> list[Route]:
        original = "/webhooks/{app}/{token}/messages/@original"
        one = "/webhooks/{app}/{token}/messages/{message}"
        return [
            route("POST", "/interactions/{interaction}/{token}/callback", self.callback, interaction=True),
            route("POST", "/webhooks/{app}/{token}", self.follow_up, interaction=True),
            route("GET", original, self.get, interaction=True),
            route("PATCH", original, self.edit, interaction=True),
            route("DELETE", original, self.delete, interaction=True),
            route("GET", one, self.get, interaction=True),
            route("PATCH", one, self.edit, interaction=True),
            route("DELETE", one, self.delete, interaction=True),
        ]

    def open(self, kind: int, member: Member, channel: Channel, **about: Any) -> Interaction:
        made = Interaction(
            id=self._world.ids.make(),
            token=secrets.token_urlsafe(48),
            type=kind,
            member=member,
            channel=channel,
            created_at=self._world.now(),
            started=time.perf_counter(),
            **about,
        )
        self._by_id[made.id] = made
        self._by_token[made.token] = made
        return made

    def get_by_id(self, interaction_id: int) -> Interaction | None:
        return self._by_id.get(interaction_id)

    # The first answer

    async def callback(self, call: Call) -> Reply:
        interaction = self._by_id.get(call.ids["interaction"])
        if interaction is None or interaction.token != call.token:
            raise api_error(UNKNOWN_INTERACTION)
        if interaction.acked is not None:
            raise api_error(ALREADY_ACKNOWLEDGED)
        if self._world.now() - interaction.created_at > ACK_S:
            raise api_error(UNKNOWN_INTERACTION)
        body = call.fields()
        kind = self._kind(interaction, body.get("type"))
        data = body.get("data") or {}
        if kind == 4:
            self._respond(interaction, data, call)
        elif kind == 5:
            self._defer(interaction, data)
        elif kind == 6:
            interaction.deferred = True
            interaction.original = interaction.source
        elif kind == 7:
            self._update(interaction, data, call)
        elif kind == 8:
            self._complete(interaction, data)
        elif kind == 9:
            self._show_modal(interaction, data)
        interaction.acked = _EXPECTED[kind]
        interaction.ack_ms = interaction.since_start_ms()
        if not interaction.deferred:
            interaction.settle()
        interaction.progress.set()
        if call.query.get("with_response", "").lower() not in ("1", "true"):
            return Reply(204)
        return Reply(200, self._callback_json(interaction, kind))

    @staticmethod
    def _kind(interaction: Interaction, kind: Any) -> int:
        if interaction.type == AUTOCOMPLETE:
            allowed = {8}
        elif interaction.type == COMMAND:
            allowed = {4, 5, 9}
        elif interaction.type == MODAL_SUBMIT:
            # A deferred update closes the form also where there is no message to update.
            allowed = {4, 5, 6} | ({7} if interaction.source else set())
        else:
            allowed = {4, 5, 6, 7, 9}
        if kind not in allowed:
            form = Form()
            form.choices(("type",), ", ".join(map(str, sorted(allowed))))
            form.check()
        return int(kind)

    def _metadata(self, interaction: Interaction) -> dict[str, Any]:
        wire: dict[str, Any] = {
            "id": str(interaction.id),
            "type": interaction.type,
            "user": interaction.member.user.to_json(),
            "authorizing_integration_owners": {"0": str(self._world.guild_id)},
        }
        if interaction.original is not None and interaction.original is not interaction.source:
            wire["original_response_message_id"] = str(interaction.original.id)
        if interaction.type == COMMAND:
            wire |= {"name": interaction.name, "command_type": interaction.command_type} | self._target(
                interaction
            )
        elif interaction.type == COMPONENT and interaction.source is not None:
            wire["interacted_message_id"] = str(interaction.source.id)
        elif interaction.type == MODAL_SUBMIT:
            # A forged form was shown by nothing: it counts as a command's.
            opener = interaction.opener
            shown = self._metadata(opener) if opener is not None else wire | {"type": COMMAND}
            wire["triggering_interaction_metadata"] = shown
        return wire

    def _target(self, interaction: Interaction) -> dict[str, Any]:
        """What a menu command was used on, as the metadata of its answer says it."""
        if interaction.command_type == MESSAGE_MENU:
            return {"target_message_id": str(interaction.target_id)}
        if interaction.command_type == USER_MENU:
            return {"target_user": self._world.members[interaction.target_id].user.to_json()}
        return {}

    def _post(
        self, interaction: Interaction, data: dict[str, Any], call: Call | None, flags: int = 0
    ) -> Message:
        ephemeral = bool(int(data.get("flags") or 0) & MessageFlag.EPHEMERAL)
        first_of_command = interaction.type == COMMAND and interaction.original is None
        message = self._messages.create(
            interaction.channel,
            self._world.bot,
            {key: value for key, value in data.items() if key != "nonce"},
            call.uploads if call else (),
            kind=_answer_type(interaction) if first_of_command else MessageType.DEFAULT,
            ephemeral_for=interaction.member.user.id if ephemeral else None,
            interaction=self._metadata(interaction),
            extra_flags=flags,
        )
        interaction.touched[message.id] = message
        return message

    def _respond(self, interaction: Interaction, data: dict[str, Any], call: Call) -> None:
        content.check_create(data, files=len(call.uploads), at=_DATA)
        interaction.original = self._post(interaction, data, call)
        interaction.ephemeral = interaction.original.ephemeral_for is not None

    def _defer(self, interaction: Interaction, data: dict[str, Any]) -> None:
        flags = {"flags": int(data.get("flags") or 0) & int(MessageFlag.EPHEMERAL)}
        interaction.original = self._post(interaction, flags, None, int(MessageFlag.LOADING))
        interaction.deferred = True
        interaction.ephemeral = interaction.original.ephemeral_for is not None

    def _update(self, interaction: Interaction, data: dict[str, Any], call: Call) -> None:
        source = interaction.source
        if source is None or source.deleted:
            raise api_error(UNKNOWN_MESSAGE)
        self._messages.edit(source, data, call.uploads, at=_DATA)
        interaction.original = source
        interaction.touched[source.id] = source

    @staticmethod
    def _complete(interaction: Interaction, data: dict[str, Any]) -> None:
        form = Form()
        choices = data.get("choices")
        if not isinstance(choices, list):
            form.required(("data", "choices"))
        elif len(choices) > 25:
            form.length(("data", "choices"), choices, 0, 25)
        else:
            check_choices(choices, interaction.option_kind, ("data", "choices"), form)
        form.check()
        interaction.choices = choices

    @staticmethod
    def _show_modal(interaction: Interaction, data: dict[str, Any]) -> None:
        form = Form()
        modals.check_modal(data, form)
        form.check()
        interaction.modal = {key: data[key] for key in ("custom_id", "title", "components")}
        rules.with_ids(interaction.modal["components"])

    def _callback_json(self, interaction: Interaction, kind: int) -> dict[str, Any]:
        about: dict[str, Any] = {"id": str(interaction.id), "type": interaction.type}
        resource: dict[str, Any] = {"type": kind}
        message = interaction.original if kind in (4, 5, 7) else None
        if message is not None:
            about |= {
                "response_message_id": str(message.id),
                "response_message_loading": message.has(MessageFlag.LOADING),
                "response_message_ephemeral": message.ephemeral_for is not None,
            }
            resource["message"] = self._messages.to_json(message)
        about |= {"channel_id": str(interaction.channel.id), "guild_id": str(self._world.guild_id)}
        return {"interaction": about, "resource": resource}

    # Everything after it

    def _of_token(self, call: Call) -> Interaction:
        interaction = self._by_token.get(call.token)
        if interaction is None or call.ids["app"] != self._world.application_id or interaction.acked is None:
            raise api_error(UNKNOWN_WEBHOOK)
        if self._world.now() - interaction.created_at > TOKEN_S:
            raise api_error(INVALID_WEBHOOK_TOKEN)
        return interaction

    async def follow_up(self, call: Call) -> Reply:
        interaction = self._of_token(call)
        body = call.fields()
        content.check_create(body, files=len(call.uploads))
        waiting = interaction.original
        if waiting is not None and waiting.has(MessageFlag.LOADING) and not waiting.deleted:
            # The first follow-up after a deferral fills "is thinking...", private or not as that is.
            self._messages.edit(waiting, body, call.uploads)
            message = waiting
        else:
            message = self._post(interaction, body, call)
        interaction.touched[message.id] = message
        interaction.settle()
        return Reply(200, self._messages.to_json(message))

    def _message(self, interaction: Interaction, call: Call) -> Message:
        message_id = call.ids.get("message")
        message = interaction.original if message_id is None else interaction.touched.get(message_id)
        if message is None or message.deleted:
            raise api_error(UNKNOWN_MESSAGE)
        return message

    async def get(self, call: Call) -> Reply:
        return Reply(200, self._messages.to_json(self._message(self._of_token(call), call)))

    async def edit(self, call: Call) -> Reply:
        interaction = self._of_token(call)
        message = self._message(interaction, call)
        self._messages.edit(message, call.fields(), call.uploads)
        interaction.touched[message.id] = message
        interaction.settle()
        return Reply(200, self._messages.to_json(message))

    async def delete(self, call: Call) -> Reply:
        interaction = self._of_token(call)
        message = self._message(interaction, call)
        self._messages.delete(message)
        interaction.touched[message.id] = message
        interaction.settle()
        return Reply(204)


def _answer_type(interaction: Interaction) -> MessageType:
    if interaction.command_type == CHAT_INPUT:
        return MessageType.CHAT_INPUT_COMMAND
    return MessageType.CONTEXT_MENU_COMMAND
