"""What people do through the control API: saying, answering, and what forging sends all the same."""

from __future__ import annotations

from typing import Any

import discord
import pytest
from discord import app_commands

from .clients import Client, Connect, ready
from .conftest import Sandbox


class Note(discord.ui.Modal, title="A note"):
    text = discord.ui.TextInput[Any](label="Note", custom_id="text", required=False)

    def __init__(self, client: Client) -> None:
        super().__init__(custom_id="note")
        self.client = client

    async def on_submit(self, interaction: discord.Interaction) -> None:
        self.client.seen.append(("submit", interaction.user.name, self.text.value))
        await interaction.response.send_message("saved", ephemeral=True)


class Pressed(discord.ui.View):
    def __init__(self, client: Client) -> None:
        super().__init__(timeout=None)
        self.client = client

    @discord.ui.button(label="Go", custom_id="go")
    async def go(self, interaction: discord.Interaction, _: discord.ui.Button[Any]) -> None:
        self.client.seen.append(("press", interaction.user.name, interaction.channel_id))
        await interaction.response.send_message("pressed", ephemeral=True)


async def office(sandbox: Sandbox, connect: Connect) -> Client:
    client = Client()

    @client.tree.command(description="Fan")
    @app_commands.choices(show=[app_commands.Choice(name="Money", value="money")])
    async def fan(
        interaction: discord.Interaction,
        fan: str,
        show: str = "all",
        who: discord.Member | None = None,
    ) -> None:
        client.seen.append(("slash", interaction.user.name, fan, show))
        await interaction.response.send_message("here", ephemeral=True)

    @fan.autocomplete("fan")
    async def complete(interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
        client.seen.append(("autocomplete", interaction.user.name, current))
        return [app_commands.Choice(name=current, value=current)]

    @client.tree.command(description="Write")
    async def write(interaction: discord.Interaction) -> None:
        await interaction.response.send_modal(Note(client))

    @client.tree.command(description="Owners")
    @app_commands.default_permissions()
    async def owners(interaction: discord.Interaction) -> None:
        client.seen.append(("owners", interaction.user.name))
        await interaction.response.send_message("here", ephemeral=True)

    client.add_view(Pressed(client))
    await ready(sandbox, connect, client)
    return client


async def test_saying_and_answering(sandbox: Sandbox, connect: Connect) -> None:
    client = await office(sandbox, connect)
    sent = await client.text_channel(sandbox.channel()).send("a card")
    bot = sandbox.discord.ids.bot
    for content, reply_to in (
        ("blank", None),
        (f"<@{bot}> for the bot", None),
        ("an answer to it", str(sent.id)),
        ("an answer to carl", "first"),
    ):
        first = next((one["id"] for one in await sandbox.messages() if one["content"] == "blank"), None)
        target = first if reply_to == "first" else reply_to
        assert (await sandbox.act("say", "carl", content=content, reply_to=target))["message"]
    await sandbox.act("slash", "carl", command="fan", options={"fan": "x"})
    heard = [one for one in client.heard if not one.author.bot]
    assert [one.content for one in heard] == ["", f"<@{bot}> for the bot", "an answer to it", ""]
    assert heard[2].reference is not None
    assert heard[2].reference.message_id == sent.id
    assert [one["content"] for one in await sandbox.messages()][1:5] == [
        "blank",
        f"<@{bot}> for the bot",
        "an answer to it",
        "an answer to carl",
    ]


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"content": ""}, 400, "content"),
        ({"content": "x" * 2001}, 400, "content"),
        ({"content": "x", "reply_to": "1"}, 404, "reply_to"),
        ({"content": "x", "channel": "leads"}, 409, "channel"),
        ({"content": "x", "channel": "nowhere"}, 404, "channel"),
        ({"content": "x", "user": "Fanwatch"}, 404, "user"),
    ],
)
async def test_what_cannot_be_said(sandbox: Sandbox, body: dict[str, Any], status: int, field: str) -> None:
    answer = await sandbox.control("POST", "say", json={"user": "carl", "channel": "mia"} | body)
    assert (answer.status, answer.body["error"]["field"]) == (status, field)
    assert await sandbox.messages() == []


async def test_what_somebody_cannot_see_is_not_sent_unless_forged(sandbox: Sandbox, connect: Connect) -> None:
    client = await office(sandbox, connect)
    card = await client.text_channel(sandbox.channel("leads")).send("card", view=Pressed(client))
    opened = await sandbox.act("slash", "lena", "leads", command="write")
    acts: list[tuple[str, dict[str, Any]]] = [
        ("slash", {"command": "fan", "options": {"fan": "x"}}),
        ("slash", {"command": "owners", "channel": "mia"}),
        ("autocomplete", {"command": "fan", "options": {"fan": "x"}, "focused": "fan"}),
        ("press", {"message": str(card.id), "custom_id": "go"}),
        ("submit", {"custom_id": "note", "opened_by": opened["interaction"], "fields": {"text": "x"}}),
    ]
    for what, body in acts:
        hidden = await sandbox.control("POST", what, json={"user": "carl", "channel": "leads"} | body)
        assert hidden.body["error"] == {"code": "not_visible"}, what
    await sandbox.act("slash", "lena", command="fan", options={"fan": "the only one"})
    assert client.seen == [("slash", "lena", "the only one", "all")], "nothing else was sent"
    client.seen.clear()
    for what, body in acts:
        forged = {"user": "carl", "channel": "leads", "forge": True} | body
        assert (await sandbox.control("POST", what, json=forged)).body["error"] is None, what
    assert client.seen == [
        ("slash", "carl", "x", "all"),
        ("owners", "carl"),
        ("autocomplete", "carl", "x"),
        ("press", "carl", sandbox.channel("leads")),
        ("submit", "carl", "x"),
    ]


async def test_forged_options_are_sent_unchecked(sandbox: Sandbox, connect: Connect) -> None:
    client = await office(sandbox, connect)

    async def slash(**options: Any) -> Any:
        body = {"user": "carl", "channel": "mia", "command": "fan", "options": {"fan": "x"} | options}
        plain = await sandbox.control("POST", "slash", json=body)
        forged = await sandbox.control("POST", "slash", json=body | {"forge": True, "wait_ms": 50})
        return plain.status, forged.status

    assert await slash(show="nonsense") == (400, 200)
    assert client.seen[-1] == ("slash", "carl", "x", "nonsense")
    assert await slash(who="1") == (400, 200), "an id that nothing has is sent without what it stands for"
    choices = discord.ui.UserSelect[Any](custom_id="who")
    view = discord.ui.View(timeout=None).add_item(choices)
    card = await client.text_channel(sandbox.channel()).send("card", view=view)
    body = {"user": "carl", "channel": "mia", "message": str(card.id), "custom_id": "who", "values": ["1"]}
    assert (await sandbox.control("POST", "press", json=body)).status == 400
    assert (await sandbox.control("POST", "press", json=body | {"forge": True, "wait_ms": 50})).status == 200


async def test_a_form_nobody_was_shown_can_be_forged(sandbox: Sandbox, connect: Connect) -> None:
    client = await office(sandbox, connect)
    await sandbox.act("slash", "carl", command="write")
    body = {"user": "lena", "channel": "mia", "custom_id": "note", "fields": {"text": "forged"}}
    assert (await sandbox.control("POST", "submit", json=body)).status == 400
    forged = await sandbox.control("POST", "submit", json=body | {"forge": True})
    assert (forged.body["acked"], client.seen) == ("message", [("submit", "lena", "forged")])
