"""Answers of a real discord.py client: layouts, files, menus, completions, and what options hold."""

from __future__ import annotations

import io
from typing import Any

import discord
import pytest
from discord import app_commands

from .clients import Client, Connect, ready
from .conftest import Machine, Sandbox


class Page(discord.ui.LayoutView):
    """A card of Components V2 whose button turns it over."""

    def __init__(self, text: str) -> None:
        super().__init__(timeout=None)
        button = discord.ui.Button[Any](label="Next", custom_id="next")
        button.callback = self.turn  # type: ignore[method-assign]
        section = discord.ui.Section[Any](discord.ui.TextDisplay(text), accessory=button)
        self.add_item(discord.ui.Container(section, accent_color=discord.Color.red()))

    async def turn(self, interaction: discord.Interaction) -> None:
        await interaction.response.edit_message(view=Page("second"))


def texts(message: dict[str, Any]) -> list[str]:
    (container,) = message["components"]
    return [one["content"] for section in container["components"] for one in section["components"]]


async def test_a_private_layout_is_edited_in_place(sandbox: Sandbox, connect: Connect) -> None:
    client = Client()

    @client.tree.command(description="Now")
    async def now(interaction: discord.Interaction) -> None:
        await interaction.response.send_message(view=Page("first"), ephemeral=True)

    @client.tree.command(description="Later")
    async def later(interaction: discord.Interaction) -> None:
        await interaction.response.defer(ephemeral=True)
        await interaction.edit_original_response(view=Page("first"))

    await ready(sandbox, connect, client)
    for command, edits in (("now", 1), ("later", 1)):
        shown = (await sandbox.act("slash", "carl", command=command))["messages"][0]
        assert texts(shown) == ["first"]
        assert shown["flags"] == 1 << 15 | 1 << 6
        turned = await sandbox.act("press", "carl", message=shown["id"], custom_id="next")
        assert turned["acked"] == "update"
        assert [texts(one) for one in turned["messages"]] == [["second"]]
        after = turned["messages"][0]["sandbox"]
        assert (after["edits"], after["ephemeral_for"]) == (edits, str(sandbox.member("carl")))
        other = await sandbox.act("press", "lena", message=shown["id"], custom_id="next")
        assert other["error"] == {"code": "not_visible"}


async def test_files_of_answers_and_follow_ups_are_kept(sandbox: Sandbox, connect: Connect) -> None:
    client = Client()

    def file(name: str, data: bytes) -> discord.File:
        return discord.File(io.BytesIO(data), name, description=f"about {name}")

    @client.tree.command(description="Export")
    async def export(interaction: discord.Interaction) -> None:
        response = await interaction.response.send_message(
            "report", files=[file("a.csv", b"1,2"), file("my fans!.txt", b"x")], ephemeral=True
        )
        client.seen.append(response.message_id)
        more = await interaction.followup.send(file=file("more.json", b"{}"), ephemeral=True, wait=True)
        client.seen.append(await more.attachments[0].read())
        await interaction.edit_original_response(attachments=[file("b.csv", b"3,4")])

    @client.tree.command(description="Late")
    async def late(interaction: discord.Interaction) -> None:
        await interaction.response.defer()
        sent = await interaction.edit_original_response(content="report", attachments=[file("c.csv", b"5")])
        await sent.edit(content="changed")

    await ready(sandbox, connect, client)
    shown = (await sandbox.act("slash", "carl", command="export"))["messages"][0]
    assert [one["filename"] for one in shown["attachments"]] == ["a.csv", "my_fans.txt"]
    assert shown["attachments"][0]["description"] == "about a.csv"
    assert shown["attachments"][0]["url"].startswith(sandbox.base)
    for one, data in zip(shown["attachments"], (b"1,2", b"x"), strict=True):
        async with sandbox.http.get(one["url"]) as response:
            assert (response.status, await response.read()) == (200, data)
    # What is edited out of the message can be had all the same, for who wants to look at it afterwards.
    for _ in range(200):
        now = await sandbox.messages()
        if now[0]["sandbox"]["edits"]:
            break
    assert [one["filename"] for one in now[0]["attachments"]] == ["b.csv"]
    assert client.seen == [int(shown["id"]), b"{}"]
    async with sandbox.http.get(shown["attachments"][0]["url"]) as response:
        assert await response.read() == b"1,2"

    await sandbox.act("slash", "carl", command="late")
    for _ in range(200):
        kept = (await sandbox.messages())[-1]
        if kept["content"] == "changed":
            break
    assert [one["filename"] for one in kept["attachments"]] == ["c.csv"], "an edit of the text keeps them"
    recorded = [one for one in sandbox.recorder.lines() if b"files[0]" in one]
    assert len(recorded) == 4


async def test_an_eleventh_file_is_refused(sandbox: Sandbox, connect: Connect) -> None:
    client = Client()
    await ready(sandbox, connect, client)
    sent = await client.text_channel(sandbox.channel()).send(file=discord.File(io.BytesIO(b"x"), "0.txt"))
    ten = [discord.File(io.BytesIO(b"x"), f"{number}.txt") for number in range(10)]
    try:
        await sent.add_files(*ten)
    except discord.HTTPException as refused:
        client.seen.append(refused.code)
    assert client.seen == [50035]
    assert len((await sandbox.messages())[0]["attachments"]) == 1


class Choices(discord.ui.View):
    def __init__(self, client: Client) -> None:
        super().__init__(timeout=None)
        self.client = client

    @discord.ui.select(cls=discord.ui.UserSelect, custom_id="who", max_values=2)
    async def who(self, interaction: discord.Interaction, select: discord.ui.UserSelect[Any]) -> None:
        self.client.seen.append([one.name for one in select.values])
        await interaction.response.edit_message(content="chosen")

    @discord.ui.select(cls=discord.ui.RoleSelect, custom_id="role", min_values=0)
    async def role(self, interaction: discord.Interaction, select: discord.ui.RoleSelect[Any]) -> None:
        self.client.seen.append([one.name for one in select.values])
        await interaction.response.defer()
        await interaction.edit_original_response(content="chosen late")

    @discord.ui.select(
        cls=discord.ui.ChannelSelect, custom_id="where", channel_types=[discord.ChannelType.text]
    )
    async def where(self, interaction: discord.Interaction, select: discord.ui.ChannelSelect[Any]) -> None:
        self.client.seen.append([one.name for one in select.values])
        await interaction.response.send_message("noted", ephemeral=True)


async def test_menus_of_people_roles_and_channels(sandbox: Sandbox, connect: Connect) -> None:
    client = Client()
    await ready(sandbox, connect, client)
    channel = client.text_channel(sandbox.channel())
    card = str((await channel.send("pick", view=Choices(client))).id)
    thread = await channel.create_thread(name="alice", type=discord.ChannelType.public_thread)
    ids = sandbox.discord.ids

    async def press(custom_id: str, *values: int) -> Any:
        body = {"user": "carl", "channel": "mia", "message": card, "custom_id": custom_id}
        return await sandbox.control("POST", "press", json=body | {"values": [str(one) for one in values]})

    both = await press("who", ids.members["carl"], ids.members["lena"])
    assert both.body["messages"][0]["content"] == "chosen"
    late = await press("role", ids.roles["lead"])
    assert (late.body["acked"], late.body["messages"][0]["content"]) == ("deferred_update", "chosen late")
    assert (await press("where", ids.channels["leads"])).body["ephemeral"] is True
    assert (await press("role")).body["settled"], "none is allowed there"
    assert client.seen == [["carl", "lena"], ["lead"], ["leads"], []]

    for custom_id, values in (
        ("who", (ids.roles["lead"],)),
        ("who", (ids.members["carl"],) * 2),
        ("who", (ids.members["carl"], ids.members["lena"], ids.members["olive"])),
        ("who", ()),
        ("role", (ids.members["carl"],)),
        ("where", (thread.id,)),
    ):
        refused = await press(custom_id, *values)
        assert (refused.status, refused.body["error"]["field"]) == (400, "values"), (custom_id, values)
    assert len(client.seen) == 4


async def test_completing_one_option_gives_the_others_as_bare_ids(sandbox: Sandbox, connect: Connect) -> None:
    client = Client()

    @client.tree.command(description="Notes")
    @app_commands.describe(who="Who", note="Note", days="Days", role="Role")
    async def notes(
        interaction: discord.Interaction,
        who: discord.Member,
        note: str,
        days: app_commands.Range[int, 1, 365] = 7,
        role: discord.Role | None = None,
    ) -> None:
        client.seen.append((who, note, days, role))
        await interaction.response.send_message("x", ephemeral=True)

    @notes.autocomplete("note")
    async def complete(interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
        client.seen.append((interaction.namespace.who, interaction.namespace.days, current))
        return [app_commands.Choice(name=f"{current}!", value=current)]

    await ready(sandbox, connect, client)
    carl = sandbox.member("carl")
    result = await sandbox.act(
        "autocomplete", "carl", command="notes", options={"who": str(carl), "days": 9}, focused="note"
    )
    assert result["choices"] == [{"name": "!", "value": ""}]
    ((who, days, current),) = client.seen
    assert type(who) is discord.Object, "nothing is resolved while something is being completed"
    assert (who.id, days, current) == (carl, 9, "")
    client.seen.clear()

    free = {"who": str(carl), "note": "nothing that was offered"}
    await sandbox.act("slash", "carl", command="notes", options=free)
    ((member, note, days, _),) = client.seen
    assert isinstance(member, discord.Member)
    assert (member.name, note, days) == ("carl", "nothing that was offered", 7)

    async def refused(**options: Any) -> tuple[int, str]:
        body = {"user": "carl", "channel": "mia", "command": "notes", "options": free | options}
        answer = await sandbox.control("POST", "slash", json=body)
        return answer.status, answer.body["error"]["field"]

    assert await refused(days=0) == await refused(days=366) == (400, "days")
    assert await refused(days="7") == await refused(days=7.5) == await refused(days=True) == (400, "days")
    assert await refused(who=carl) == await refused(who="carl") == (400, "who")
    assert await refused(who=str(sandbox.discord.ids.roles["lead"])) == (400, "who")
    assert await refused(role=str(carl)) == (400, "role")
    assert len(client.seen) == 1


async def test_a_command_for_administrators_only(sandbox: Sandbox, connect: Connect) -> None:
    client = Client()

    @client.tree.command(description="Set up")
    @app_commands.default_permissions()
    async def setup(interaction: discord.Interaction) -> None:
        await interaction.response.send_message(interaction.user.name, ephemeral=True)

    await ready(sandbox, connect, client)
    registered = (await sandbox.control("GET", "state")).body["commands"]
    assert [one["default_member_permissions"] for one in registered] == ["0"]
    for user, code in (("olive", None), ("lena", "not_visible"), ("carl", "not_visible")):
        result = await sandbox.act("slash", user, command="setup")
        assert (result["error"] or {"code": None})["code"] == code
    forged = await sandbox.act("slash", "carl", command="setup", forge=True)
    assert forged["messages"][0]["content"] == "carl"


async def test_a_message_menu_says_what_it_was_used_on(sandbox: Sandbox, connect: Connect) -> None:
    client = Client()

    @client.tree.context_menu(name="Save as note")
    async def save(interaction: discord.Interaction, message: discord.Message) -> None:
        await interaction.response.send_message(f"{message.author.name}: {message.content}", ephemeral=True)

    await ready(sandbox, connect, client)
    said = (await sandbox.act("say", "lena", content="he likes cats"))["message"]
    assert await sandbox.act("say", "lena", "leads", content="elsewhere")
    saved = (await sandbox.act("slash", "carl", command="Save as note", target=said))["messages"][0]
    assert saved["content"] == "lena: he likes cats", "blank in the gateway's events, whole here"
    assert (saved["type"], saved["interaction_metadata"]["target_message_id"]) == (23, said)

    private = saved["id"]
    hidden = await sandbox.act("slash", "lena", command="Save as note", target=private)
    assert hidden["error"] == {"code": "not_visible"}
    elsewhere = (await sandbox.messages("leads"))[0]["id"]
    for target in (elsewhere, "1", "x"):
        body = {"user": "carl", "channel": "mia", "command": "Save as note", "target": target}
        refused = await sandbox.control("POST", "slash", json=body)
        assert (refused.status, refused.body["error"]["field"]) == (404, "target")
    body = {"user": "carl", "channel": "mia", "command": "Save as note"}
    assert (await sandbox.control("POST", "slash", json=body)).status == 400
    foreign = await sandbox.act("slash", "carl", command="Save as note", target=elsewhere, forge=True)
    assert foreign["messages"][0]["content"] == "lena: elsewhere"


async def test_a_completion_that_comes_too_late(
    sandbox: Sandbox, connect: Connect, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.sandbox.discord.control_acts.ACK_S", 0.05)
    client = Client()

    @client.tree.command(description="Fan")
    async def fan(interaction: discord.Interaction, name: str) -> None:
        await interaction.response.send_message(name)

    @fan.autocomplete("name")
    async def complete(interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
        machine.at += 3.1
        with pytest.raises(discord.NotFound) as late:
            await interaction.response.autocomplete([app_commands.Choice(name="x", value="x")])
        client.seen.append(late.value.code)
        return []

    await ready(sandbox, connect, client)
    body = {"user": "carl", "channel": "mia", "command": "fan", "options": {"name": "x"}, "focused": "name"}
    answer = await sandbox.control("POST", "autocomplete", json=body)
    assert (answer.body["choices"], answer.body["error"]) == ([], {"code": "no_ack"})
    assert client.seen == [10062]
