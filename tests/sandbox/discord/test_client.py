"""A real discord.py client: it connects, registers commands, and answers what members do."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from typing import Any

import discord
from discord import app_commands

from .conftest import Sandbox

Connect = Callable[..., Any]
INTENTS = discord.Intents(guilds=True, guild_messages=True)


class Note(discord.ui.Modal, title="A note"):
    text = discord.ui.TextInput[Any](label="Note", custom_id="note", max_length=50)

    async def on_submit(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"noted: {self.text.value}", ephemeral=True)


class Buttons(discord.ui.View):
    def __init__(self) -> None:
        super().__init__(timeout=None)

    @discord.ui.button(label="Claim", custom_id="claim")
    async def claim(self, interaction: discord.Interaction, _: discord.ui.Button[Any]) -> None:
        await interaction.response.edit_message(content=f"claimed by {interaction.user.name}", view=None)

    @discord.ui.button(label="Write", custom_id="write")
    async def write(self, interaction: discord.Interaction, _: discord.ui.Button[Any]) -> None:
        await interaction.response.send_modal(Note(custom_id="form"))


class Bot(discord.Client):
    def __init__(self) -> None:
        super().__init__(intents=INTENTS, max_messages=None, guild_ready_timeout=0.02)
        self.tree = app_commands.CommandTree(self)
        self.heard: list[discord.Message] = []
        self.seen: list[str] = []
        fan = app_commands.Group(name="fan", description="Fans")

        @fan.command(name="lookup", description="Look a fan up")
        @app_commands.describe(fan="Who", show="What", loud="For all")
        @app_commands.choices(show=[app_commands.Choice(name="Money", value="money")])
        async def lookup(
            interaction: discord.Interaction, fan: str, show: str = "all", loud: bool = False
        ) -> None:
            await interaction.response.defer(ephemeral=not loud)
            await interaction.edit_original_response(content=f"{interaction.user.name}: {fan} {show}")

        @lookup.autocomplete("fan")
        async def complete(_: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
            return [
                app_commands.Choice(name=name, value=name) for name in ("alice", "alan") if current in name
            ]

        @self.tree.command(description="Who")
        @app_commands.describe(who="Member", where="Channel", role="Role")
        async def who(
            interaction: discord.Interaction,
            who: discord.Member,
            where: discord.TextChannel,
            role: discord.Role,
        ) -> None:
            names = f"{who.name} {where.name} {role.name} {who.guild_permissions.administrator}"
            await interaction.response.send_message(names)
            await interaction.followup.send("and more", ephemeral=True)

        @self.tree.command(description="Leads only")
        @app_commands.default_permissions(administrator=True)
        async def setup(interaction: discord.Interaction) -> None:
            await interaction.response.send_message("set up", view=Buttons())

        @self.tree.command(description="Never answers")
        async def silent(interaction: discord.Interaction) -> None:
            self.seen.append("silent")

        @self.tree.context_menu(name="Save as note")
        async def save(interaction: discord.Interaction, message: discord.Message) -> None:
            await interaction.response.send_message(f"saved {message.id}", ephemeral=True)

        self.tree.add_command(fan)

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """The library waits five seconds here before every IDENTIFY but the first."""

    async def setup_hook(self) -> None:
        self.add_view(Buttons())

    async def register(self, guild_id: int) -> None:
        guild = discord.Object(guild_id)
        self.tree.copy_global_to(guild=guild)
        await self.tree.sync(guild=guild)

    async def on_message(self, message: discord.Message) -> None:
        self.heard.append(message)


async def ready(sandbox: Sandbox, connect: Connect) -> Bot:
    bot = Bot()
    await connect(sandbox, bot)
    await bot.register(sandbox.discord.ids.guild)
    return bot


async def test_client_sees_its_guild_and_is_seen_connected(sandbox: Sandbox, connect: Connect) -> None:
    bot = await ready(sandbox, connect)
    guild = bot.get_guild(sandbox.discord.ids.guild)
    assert guild is not None
    assert {channel.name for channel in guild.text_channels} == {"general", "mia", "leads"}
    assert guild.me.name == "Fanwatch"
    assert guild.me.guild_permissions.manage_channels
    assert not guild.me.guild_permissions.manage_messages
    state = (await sandbox.control("GET", "state")).body
    assert state["bot"] | {"id": "x"} == {
        "id": "x",
        "pid": 4242,
        "connected": True,
        "identifies": 1,
        "resumes": 0,
    }
    assert {command["name"] for command in state["commands"]} >= {"fan", "who", "Save as note"}
    assert state["clock"]["version"] == 1


async def test_sending_editing_reading_and_deleting(sandbox: Sandbox, connect: Connect) -> None:
    bot = await ready(sandbox, connect)
    channel = bot.get_channel(sandbox.channel())
    assert isinstance(channel, discord.TextChannel)
    sent = await channel.send("hello", embed=discord.Embed(title="t"), view=Buttons(), nonce="abc")
    await sent.edit(content="changed")
    assert [one.content async for one in channel.history()] == ["changed"]
    (shown,) = await sandbox.messages()
    assert shown["content"] == "changed"
    assert shown["sandbox"] == {
        "deleted": False,
        "edits": 1,
        "ephemeral_for": None,
        "pinged": [],
        "silent": False,
    }
    await sent.delete()
    assert (await sandbox.messages())[0]["sandbox"]["deleted"] is True
    assert [one async for one in channel.history()] == []


async def test_files_can_be_downloaded_and_shown_in_an_embed(sandbox: Sandbox, connect: Connect) -> None:
    bot = await ready(sandbox, connect)
    channel = bot.get_channel(sandbox.channel())
    assert isinstance(channel, discord.TextChannel)
    embed = discord.Embed(title="chart").set_image(url="attachment://chart.png")
    files = [
        discord.File(io.BytesIO(b"\x89PNG"), "chart.png"),
        discord.File(io.BytesIO(b"a,b"), "export.csv"),
    ]
    sent = await channel.send(embed=embed, files=files)
    assert [file.filename for file in sent.attachments] == ["export.csv"]
    assert await sent.attachments[0].read() == b"a,b"
    async with sandbox.http.get(sent.embeds[0].image.url or "") as response:
        assert (response.content_type, await response.read()) == ("image/png", b"\x89PNG")


async def test_a_deferred_private_answer(sandbox: Sandbox, connect: Connect) -> None:
    await ready(sandbox, connect)
    result = await sandbox.act(
        "slash", "carl", command="fan lookup", options={"fan": "alice", "show": "money"}
    )
    assert result["acked"] == "deferred"
    assert (result["deferred"], result["ephemeral"], result["settled"]) == (True, True, True)
    assert result["error"] is None
    (message,) = result["messages"]
    assert message["content"] == "carl: alice money"
    assert message["sandbox"]["ephemeral_for"] == str(sandbox.member("carl"))
    assert message["sandbox"]["edits"] == 0
    assert result["settled_ms"] >= result["ack_ms"] > 0


async def test_objects_are_resolved_and_follow_ups_are_listed(sandbox: Sandbox, connect: Connect) -> None:
    await ready(sandbox, connect)
    ids = sandbox.discord.ids
    options = {
        "who": str(ids.members["olive"]),
        "where": str(ids.channels["leads"]),
        "role": str(ids.roles["lead"]),
    }
    result = await sandbox.act("slash", "lena", command="who", options=options)
    assert result["acked"] == "message"
    assert result["ephemeral"] is False
    assert result["messages"][0]["content"] == "olive leads lead True"
    for _ in range(200):
        if len(await sandbox.messages()) == 2:
            break
        await asyncio.sleep(0.005)
    first, second = await sandbox.messages()
    assert first["interaction_metadata"]["user"]["username"] == "lena"
    assert second["sandbox"]["ephemeral_for"] == str(sandbox.member("lena"))


async def test_button_modal_and_update(sandbox: Sandbox, connect: Connect) -> None:
    await ready(sandbox, connect)
    card = (await sandbox.act("slash", "olive", command="setup"))["messages"][0]["id"]
    opened = await sandbox.act("press", "carl", message=card, custom_id="write")
    assert opened["acked"] == "modal"
    assert opened["modal"]["custom_id"] == "form"
    submitted = await sandbox.act(
        "submit", "carl", custom_id="form", opened_by=opened["interaction"], fields={"note": "likes cats"}
    )
    assert submitted["messages"][0]["content"] == "noted: likes cats"
    pressed = await sandbox.act("press", "carl", message=card, custom_id="claim")
    assert pressed["acked"] == "update"
    assert pressed["messages"][0]["content"] == "claimed by carl"
    assert pressed["messages"][0]["components"] == []
    gone = await sandbox.control(
        "POST", "press", json={"user": "carl", "channel": "mia", "message": card, "custom_id": "claim"}
    )
    assert (gone.status, gone.body["error"]["field"]) == (404, "custom_id")


async def test_a_form_is_checked_as_the_client_checks_it(sandbox: Sandbox, connect: Connect) -> None:
    await ready(sandbox, connect)
    card = (await sandbox.act("slash", "olive", command="setup"))["messages"][0]["id"]
    opened = await sandbox.act("press", "carl", message=card, custom_id="write")

    async def submit(user: str, fields: dict[str, Any], **more: Any) -> Any:
        body = {"user": user, "channel": "mia", "custom_id": "form", "opened_by": opened["interaction"]}
        return await sandbox.control("POST", "submit", json=body | {"fields": fields} | more)

    assert (await submit("carl", {"note": ""})).status == 400
    assert (await submit("carl", {"note": "x" * 51})).body["error"]["field"] == "fields.note"
    assert (await submit("lena", {"note": "x"})).status == 409
    assert (await submit("carl", {"note": "x"})).body["messages"][0]["content"] == "noted: x"
    assert (await submit("carl", {"note": "x"})).body["error"]["code"] == "submitted"
    forged = await submit("lena", {"note": "y"}, forge=True, wait_ms=50)
    assert forged.body["error"] is None, "sent all the same, to a form the client has forgotten"


async def test_autocomplete(sandbox: Sandbox, connect: Connect) -> None:
    await ready(sandbox, connect)
    result = await sandbox.act(
        "autocomplete", "carl", command="fan lookup", options={"fan": "ali"}, focused="fan"
    )
    assert result["choices"] == [{"name": "alice", "value": "alice"}]
    assert result["error"] is None


async def test_a_message_menu(sandbox: Sandbox, connect: Connect) -> None:
    bot = await ready(sandbox, connect)
    said = await sandbox.act("say", "carl", content="a fact")
    result = await sandbox.act("slash", "carl", command="Save as note", options={"message": said["message"]})
    assert result["messages"][0]["content"] == f"saved {said['message']}"
    assert bot.heard[0].content == ""


async def test_text_of_others_is_blank_unless_the_bot_is_mentioned(
    sandbox: Sandbox, connect: Connect
) -> None:
    bot = await ready(sandbox, connect)
    await sandbox.act("say", "carl", content="secret")
    await sandbox.act("say", "carl", content=f"<@{sandbox.discord.ids.bot}> help")
    result = await sandbox.act("slash", "carl", command="fan lookup", options={"fan": "x"})
    assert result["settled"]
    assert [message.content for message in bot.heard] == ["", f"<@{sandbox.discord.ids.bot}> help"]
    fetched = await bot.heard[0].channel.fetch_message(bot.heard[0].id)
    assert fetched.content == ""


async def test_what_a_member_cannot_see_is_not_sent(sandbox: Sandbox, connect: Connect) -> None:
    await ready(sandbox, connect)
    hidden = await sandbox.act("slash", "carl", command="setup")
    assert hidden["error"] == {"code": "not_visible"}
    assert hidden["acked"] == "none"
    elsewhere = await sandbox.act("slash", "guest", command="fan lookup", options={"fan": "x"})
    assert elsewhere["error"] == {"code": "not_visible"}
    forged = await sandbox.act("slash", "carl", command="setup", forge=True)
    assert forged["acked"] == "message"
    private = await sandbox.act("slash", "lena", command="fan lookup", options={"fan": "x"})
    pressed = await sandbox.act("press", "carl", message=private["messages"][0]["id"], custom_id="claim")
    assert pressed["error"] == {"code": "not_visible"}


async def test_options_are_validated_against_the_registered_command(
    sandbox: Sandbox, connect: Connect
) -> None:
    await ready(sandbox, connect)

    async def refused(**body: Any) -> tuple[int, str]:
        answer = await sandbox.control("POST", "slash", json={"user": "carl", "channel": "mia", **body})
        return answer.status, answer.body["error"]["field"]

    assert await refused(command="fan lookup") == (400, "fan")
    assert await refused(command="fan lookup", options={"fan": "x", "show": "no"}) == (400, "show")
    assert await refused(command="fan lookup", options={"fan": "x", "loud": "yes"}) == (400, "loud")
    assert await refused(command="fan lookup", options={"fan": "x", "other": 1}) == (400, "other")
    assert await refused(command="fan nothing") == (404, "command")
    assert await refused(command="who", user="nobody") == (404, "user")


async def test_no_answer_and_no_bot(sandbox: Sandbox, connect: Connect, machine: Any) -> None:
    bot = await ready(sandbox, connect)
    waited = await sandbox.act("slash", "carl", command="silent", wait_ms=50)
    assert (waited["acked"], waited["settled"], waited["error"]) == ("none", False, None)
    assert bot.seen == ["silent"]
    await bot.close()
    for _ in range(200):
        if not sandbox.discord.is_connected:
            break
        await asyncio.sleep(0.005)
    down = await sandbox.act("slash", "carl", command="silent")
    assert down["error"] == {"code": "bot_down"}


async def test_a_dropped_gateway_is_resumed_with_what_was_missed(sandbox: Sandbox, connect: Connect) -> None:
    bot = await ready(sandbox, connect)
    sandbox.faults.add("discord", "gateway_drop", args={"code": 4000, "resumable": True})
    await sandbox.act("say", "carl", content=f"<@{sandbox.discord.ids.bot}> missed")
    for _ in range(1000):
        if bot.heard:
            break
        await asyncio.sleep(0.005)
    assert [message.content.endswith("missed") for message in bot.heard] == [True]
    state = (await sandbox.control("GET", "state")).body["bot"]
    assert (state["identifies"], state["resumes"], state["connected"]) == (1, 1, True)


async def test_a_lost_session_is_identified_anew(sandbox: Sandbox, connect: Connect) -> None:
    bot = await ready(sandbox, connect)
    sandbox.faults.add("discord", "gateway_drop", args={"code": 4009, "resumable": False})
    assert not sandbox.discord.is_connected
    async with asyncio.timeout(8):
        await bot.wait_for("ready")
    state = (await sandbox.control("GET", "state")).body["bot"]
    assert (state["identifies"], state["resumes"]) == (2, 0)


async def test_a_thread_on_demand(sandbox: Sandbox, connect: Connect) -> None:
    bot = await ready(sandbox, connect)
    channel = bot.get_channel(sandbox.channel())
    assert isinstance(channel, discord.TextChannel)
    thread = await channel.create_thread(name="alice", type=discord.ChannelType.public_thread)
    await thread.send("hello")
    await thread.edit(archived=True)
    state = (await sandbox.control("GET", "state")).body
    assert [(one["name"], one["archived"], one["private"]) for one in state["threads"]] == [
        ("alice", True, False)
    ]
    await thread.send("again")
    fetched = await bot.fetch_channel(thread.id)
    assert isinstance(fetched, discord.Thread)
    assert not fetched.archived
    said = await sandbox.act("say", "carl", "alice", content="in the thread")
    assert said["message"]
