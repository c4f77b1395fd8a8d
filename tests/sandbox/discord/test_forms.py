"""Forms of a real discord.py client: opened every way, with every field the bot uses, answered every way."""

from __future__ import annotations

from typing import Any

import discord
import pytest

from .clients import Client, Connect, ready
from .conftest import Machine, Sandbox


class FanForm(discord.ui.Modal, title="A fan"):
    """One field of each kind, all but the last filled before it is shown."""

    def __init__(self, client: Client, ids: Any, answer: str) -> None:
        super().__init__(custom_id="fan-form")
        self.client = client
        self.answer = answer
        self.note = discord.ui.TextInput[Any](
            custom_id="note", style=discord.TextStyle.paragraph, default="likes cats", max_length=4000
        )
        options = [
            discord.SelectOption(label="Kept", value="kept", default=True),
            discord.SelectOption(label="Lost", value="lost"),
        ]
        self.outcome = discord.ui.Select[Any](custom_id="outcome", options=options)
        self.who = discord.ui.UserSelect[Any](
            custom_id="who", default_values=[discord.Object(ids.members["carl"], type=discord.Member)]
        )
        self.role = discord.ui.RoleSelect[Any](
            custom_id="role", default_values=[discord.Object(ids.roles["lead"], type=discord.Role)]
        )
        self.where = discord.ui.ChannelSelect[Any](
            custom_id="where",
            channel_types=[discord.ChannelType.text],
            required=False,
            min_values=0,
        )
        fields: dict[str, discord.ui.Item[Any]] = {
            "Note": self.note,
            "Outcome": self.outcome,
            "Who": self.who,
            "Role": self.role,
            "Where": self.where,
        }
        for name, field in fields.items():
            self.add_item(discord.ui.Label(text=name, component=field, description=f"The {name}"))

    async def on_submit(self, interaction: discord.Interaction) -> None:
        filled = [self.note.value, self.outcome.values[0]]
        filled += [one.name for one in self.who.values]
        filled += [one.name for one in self.role.values]
        filled += [one.name for one in self.where.values]
        self.client.seen.append((filled, interaction.message and interaction.message.id))
        response = interaction.response
        if self.answer == "message":
            await response.send_message("saved", ephemeral=True)
        elif self.answer == "update":
            await response.edit_message(content="updated", view=None)
        elif self.answer == "close":
            await response.defer()
        else:
            await response.defer(thinking=True, ephemeral=self.answer.startswith("private"))
            await interaction.edit_original_response(content="saved late")


class Card(discord.ui.View):
    def __init__(self, client: Client, ids: Any, answer: str) -> None:
        super().__init__(timeout=None)
        self.form = (client, ids, answer)

    @discord.ui.button(label="Edit", custom_id="edit")
    async def edit(self, interaction: discord.Interaction, _: discord.ui.Button[Any]) -> None:
        await interaction.response.send_modal(FanForm(*self.form))


async def office(sandbox: Sandbox, connect: Connect, answer: str) -> Client:
    """A client whose form opens from /edit, from a button in #mia, and from the menu of a message."""
    client = Client()
    ids = sandbox.discord.ids

    @client.tree.command(description="Edit")
    async def edit(interaction: discord.Interaction) -> None:
        await interaction.response.send_modal(FanForm(client, ids, answer))

    @client.tree.context_menu(name="Edit from message")
    async def menu(interaction: discord.Interaction, message: discord.Message) -> None:
        client.seen.append(message.content)
        await interaction.response.send_modal(FanForm(client, ids, answer))

    await ready(sandbox, connect, client)
    await client.text_channel(sandbox.channel()).send("card", view=Card(client, ids, answer))
    return client


async def submit(sandbox: Sandbox, opened: dict[str, Any], **fields: Any) -> dict[str, Any]:
    assert opened["acked"] == "modal", opened
    return await sandbox.act(
        "submit", "carl", custom_id="fan-form", opened_by=opened["interaction"], fields=fields
    )


async def opened_from(sandbox: Sandbox, way: str) -> dict[str, Any]:
    card = (await sandbox.messages())[0]["id"]
    if way == "slash":
        return await sandbox.act("slash", "carl", command="edit")
    if way == "menu":
        return await sandbox.act("slash", "carl", command="Edit from message", target=card)
    return await sandbox.act("press", "carl", message=card, custom_id="edit")


@pytest.mark.parametrize("way", ["slash", "menu", "button"])
async def test_a_form_comes_back_as_it_was_filled_and_shown(
    sandbox: Sandbox, connect: Connect, way: str
) -> None:
    client = await office(sandbox, connect, "message")
    opened = await opened_from(sandbox, way)
    shown = opened["modal"]["components"]
    assert [one["label"] for one in shown] == ["Note", "Outcome", "Who", "Role", "Where"]
    assert shown[0]["component"]["value"] == "likes cats"
    assert shown[2]["component"]["default_values"] == [{"id": str(sandbox.member("carl")), "type": "user"}]
    untouched = await submit(sandbox, opened)
    assert client.seen[-1][0] == ["likes cats", "kept", "carl", "lead"]
    assert (untouched["acked"], untouched["ephemeral"]) == ("message", True)
    assert untouched["messages"][0]["content"] == "saved"

    again = await submit(
        sandbox,
        await opened_from(sandbox, way),
        note="likes\ndogs",
        outcome=["lost"],
        who=[str(sandbox.member("lena"))],
        role=[str(sandbox.discord.ids.roles["chatter"])],
        where=[str(sandbox.channel("leads"))],
    )
    filled, message = client.seen[-1]
    assert filled == ["likes\ndogs", "lost", "lena", "chatter", "leads"]
    card = (await sandbox.messages())[0]
    assert message == (int(card["id"]) if way == "button" else None)
    triggered = again["messages"][0]["interaction_metadata"]["triggering_interaction_metadata"]
    assert triggered["type"] == (3 if way == "button" else 2)
    if way == "menu":
        assert "card" in client.seen, "the whole text of the message is sent"
        assert triggered["target_message_id"] == card["id"]


@pytest.mark.parametrize(
    ("answer", "acked", "text"),
    [
        ("message", "message", "saved"),
        ("update", "update", "updated"),
        ("defer", "deferred", "saved late"),
        ("private defer", "deferred", "saved late"),
        ("close", "deferred_update", None),
    ],
)
async def test_a_form_of_a_component_is_answered_in_every_way(
    sandbox: Sandbox, connect: Connect, answer: str, acked: str, text: str | None
) -> None:
    await office(sandbox, connect, answer)
    opened = await opened_from(sandbox, "button")
    body = {
        "user": "carl",
        "channel": "mia",
        "custom_id": "fan-form",
        "opened_by": opened["interaction"],
        "wait_ms": 5000 if text else 200,
    }
    result = (await sandbox.control("POST", "submit", json=body)).body
    assert (result["acked"], result["error"]) == (acked, None)
    assert [one["content"] for one in result["messages"]] == ([text] if text else [])
    card = (await sandbox.messages())[0]
    assert card["content"] == ("updated" if answer == "update" else "card")
    assert result["ephemeral"] == {"message": True, "defer": False, "private defer": True}.get(answer)


@pytest.mark.parametrize(("answer", "acked"), [("update", "none"), ("close", "deferred_update")])
async def test_a_form_of_a_command_has_no_message_to_update(
    sandbox: Sandbox, connect: Connect, answer: str, acked: str
) -> None:
    await office(sandbox, connect, answer)
    opened = await opened_from(sandbox, "slash")
    body = {"user": "carl", "channel": "mia", "custom_id": "fan-form", "opened_by": opened["interaction"]}
    result = (await sandbox.control("POST", "submit", json=body | {"wait_ms": 200})).body
    assert result["acked"] == acked
    refused = [json_line for json_line in sandbox.recorder.lines() if b"BASE_TYPE_CHOICES" in json_line]
    assert len(refused) == (1 if answer == "update" else 0)


async def test_a_form_is_held_to_its_own_rules(sandbox: Sandbox, connect: Connect) -> None:
    client = await office(sandbox, connect, "message")
    opened = await opened_from(sandbox, "slash")
    body = {"user": "carl", "channel": "mia", "custom_id": "fan-form", "opened_by": opened["interaction"]}

    async def refused(**fields: Any) -> tuple[int, str]:
        answer = await sandbox.control("POST", "submit", json=body | {"fields": fields})
        return answer.status, answer.body["error"]["field"]

    carl, lead = str(sandbox.member("carl")), str(sandbox.discord.ids.roles["lead"])
    assert await refused(note="x" * 4001) == (400, "fields.note")
    assert await refused(note="") == (400, "fields.note")
    assert await refused(outcome=["won"]) == (400, "fields.outcome")
    assert await refused(outcome=["kept", "lost"]) == (400, "fields.outcome")
    assert await refused(who=[lead]) == (400, "fields.who")
    assert await refused(role=[carl]) == (400, "fields.role")
    assert await refused(where=["1"]) == (400, "fields.where")
    assert await refused(other="x") == (400, "fields.other")
    assert client.seen == []


async def test_a_form_that_got_no_answer_can_be_submitted_again(
    sandbox: Sandbox, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.sandbox.discord.interactions.ACK_S", 0.05)
    monkeypatch.setattr("bot.sandbox.discord.control_acts.ACK_S", 0.05)
    await office(sandbox, connect, "message")
    fault = sandbox.faults.add("discord", "status", match={"path": "/callback"}, after=1, args={"code": 500})
    opened = await opened_from(sandbox, "slash")
    failed = await submit(sandbox, opened)
    assert failed["error"] == {"code": "no_ack"}
    assert fault.fired == 1
    assert (await submit(sandbox, opened))["acked"] == "message"
    body = {"user": "carl", "channel": "mia", "custom_id": "fan-form", "opened_by": opened["interaction"]}
    assert (await sandbox.control("POST", "submit", json=body)).body["error"]["code"] == "submitted"


async def test_a_form_is_late_after_three_seconds(
    sandbox: Sandbox, connect: Connect, machine: Machine
) -> None:
    client = Client()

    @client.tree.command(description="Slow")
    async def slow(interaction: discord.Interaction) -> None:
        machine.at += 3.1
        with pytest.raises(discord.NotFound) as refused:
            await interaction.response.send_modal(FanForm(client, sandbox.discord.ids, "message"))
        client.seen.append(refused.value.code)

    await ready(sandbox, connect, client)
    late = await sandbox.act("slash", "carl", command="slow", wait_ms=200)
    assert (late["acked"], late["modal"], client.seen) == ("none", None, [10062])
