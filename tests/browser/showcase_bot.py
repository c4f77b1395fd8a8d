"""A bot that shows everything Discord lets a bot show, in place of Fanwatch: what the page must be able to draw.

Run by the sandbox as its child. It answers with what it was sent, so that a test can read that on the page.
"""

from __future__ import annotations

import asyncio
import base64
import io
import os
from typing import Any

import discord
import yarl
from discord import app_commands, ui
from discord.gateway import DiscordWebSocket
from discord.http import Route

PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
Interaction = discord.Interaction
Button = ui.Button[Any]


async def tell(interaction: Interaction, text: str) -> None:
    """A private answer that pings nobody."""
    await interaction.response.send_message(
        text, ephemeral=True, allowed_mentions=discord.AllowedMentions.none()
    )


class Form(ui.Modal, title="A form with everything"):
    about = ui.TextDisplay[Any]("Fill **this** in.")
    short = ui.Label[Any](
        text="Title",
        description="Three to ten characters",
        component=ui.TextInput(custom_id="short", min_length=3, max_length=10),
    )
    long = ui.Label[Any](
        text="Text",
        component=ui.TextInput(
            custom_id="long", style=discord.TextStyle.paragraph, required=False, default="as it was"
        ),
    )
    kind = ui.Label[Any](
        text="Kind",
        component=ui.Select(
            custom_id="kind",
            options=[discord.SelectOption(label=name, value=name.lower()) for name in ("Like", "Limit")],
        ),
    )
    who = ui.Label[Any](text="Who", component=ui.UserSelect(custom_id="who", required=False))

    async def on_submit(self, interaction: Interaction) -> None:
        kind, who = self.kind.component, self.who.component
        assert isinstance(kind, ui.Select)
        assert isinstance(who, ui.UserSelect)
        named = ", ".join(str(one) for one in who.values)
        short, long = (part.component.value for part in (self.short, self.long))  # type: ignore[attr-defined]
        await tell(interaction, f"Form: {short} / {long} / {kind.values} / {named}")


class Controls(ui.View):
    """A row of buttons and one of each menu."""

    def __init__(self) -> None:
        super().__init__(timeout=None)
        self.presses = 0
        styles = discord.ButtonStyle
        for style in (styles.primary, styles.secondary, styles.success, styles.danger):
            button: Button = ui.Button(label=f"{style.name} one", style=style, custom_id=style.name)
            button.callback = self._count  # type: ignore[method-assign]
            self.add_item(button)
        self.add_item(ui.Button(label="Web page", url="https://example.com/page"))
        self.add_item(ui.Button(label="Not now", disabled=True, custom_id="off", row=1))
        self.add_item(ui.Button(label="Open chat", url="https://example.com/my/chats/chat/4711", row=1))
        options = [discord.SelectOption(label=name, value=name.lower()) for name in ("One", "Two", "Three")]
        self._menu(ui.Select(custom_id="few", placeholder="Choose some", options=options, max_values=2))
        self._menu(ui.UserSelect(custom_id="user", placeholder="Choose a person"))
        self._menu(ui.ChannelSelect(custom_id="channel", placeholder="Choose a channel"))

    def _menu(self, menu: Any) -> None:
        async def chosen(interaction: Interaction) -> None:
            await tell(interaction, "Chosen: " + ", ".join(sorted(str(one) for one in menu.values)))

        menu.callback = chosen
        self.add_item(menu)

    async def _count(self, interaction: Interaction) -> None:
        self.presses += 1
        await interaction.response.edit_message(content=f"**Controls**, pressed {self.presses}")


class Layout(ui.LayoutView):
    """Components V2, with a menu of roles."""

    def __init__(self) -> None:
        super().__init__(timeout=None)
        thumbnail = ui.Thumbnail[Any]("attachment://dot.png", description="A dot")
        roles = ui.RoleSelect[Any](custom_id="role", placeholder="Choose a role")

        async def chosen(interaction: Interaction) -> None:
            await tell(interaction, "Chosen: " + ", ".join(one.name for one in roles.values))

        roles.callback = chosen  # type: ignore[method-assign]
        self.add_item(
            ui.Container(
                ui.TextDisplay("## Layout\n-# in small print"),
                ui.Section("With a **picture** and ||a secret||", accessory=thumbnail),
                ui.Separator(),
                ui.MediaGallery(discord.MediaGalleryItem("attachment://dot.png", description="Gallery dot")),
                ui.File("attachment://list.csv"),
                ui.ActionRow(roles),
                accent_colour=0x3FA66B,
            )
        )


class Showcase(discord.Client):
    def __init__(self) -> None:
        super().__init__(intents=discord.Intents(guilds=True, guild_messages=True), max_messages=None)
        self.tree = app_commands.CommandTree(self)
        self.let_go = asyncio.Event()
        self._add_commands()

    def _add_commands(self) -> None:
        @self.tree.command(description="Says what it was given")
        @app_commands.describe(
            text="Any text", count="From 1 to 9", loud="Yes or no", who="A person", where="A channel",
            role="A role", kind="One of two", fan="Looked up while you type",
        )  # fmt: skip
        @app_commands.choices(
            kind=[app_commands.Choice(name=one.title(), value=one) for one in ("hot", "cold")]
        )
        async def echo(
            interaction: Interaction,
            text: str,
            count: app_commands.Range[int, 1, 9] = 1,
            loud: bool = False,
            who: discord.Member | None = None,
            where: discord.TextChannel | None = None,
            role: discord.Role | None = None,
            kind: str = "",
            fan: str = "",
        ) -> None:
            given = [text, count, loud, who and who.name, where and where.name, role and role.name, kind, fan]
            await tell(interaction, " | ".join(str(one) for one in given))

        @echo.autocomplete("fan")
        async def complete(interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
            return [app_commands.Choice(name=f"{current} loud:True text:x", value=f"id of {current}")]

        @self.tree.command(description="Shows a form")
        async def form(interaction: Interaction) -> None:
            await interaction.response.send_modal(Form(custom_id="form"))

        @self.tree.command(description="Takes until somebody says go")
        async def slow(interaction: Interaction) -> None:
            await interaction.response.defer(ephemeral=True)
            await self.let_go.wait()
            self.let_go.clear()
            await interaction.edit_original_response(content="Done at last")

        @self.tree.command(description="Never answers")
        async def silent(interaction: Interaction) -> None:
            return

        @self.tree.command(description="Only for those who run the server")
        @app_commands.default_permissions(administrator=True)
        async def secret(interaction: Interaction) -> None:
            await tell(interaction, "secret")

        @self.tree.command(description="Starts a thread, or puts it away")
        async def thread(interaction: Interaction, name: str, archive: bool = False) -> None:
            assert isinstance(interaction.channel, discord.TextChannel)
            await interaction.response.send_message(f"About {name}")
            message = await interaction.original_response()
            made = await interaction.channel.create_thread(name=name, message=message)
            await made.send(f"Inside {name}")
            if archive:
                await made.edit(archived=True)

        @self.tree.context_menu(name="Quote")
        async def quote(interaction: Interaction, message: discord.Message) -> None:
            await tell(interaction, f"Quoted {message.author.name}")

        @self.tree.context_menu(name="Save with a form")
        async def save(interaction: Interaction, message: discord.Message) -> None:
            await interaction.response.send_modal(Form(custom_id=f"form-{message.id}"))

    async def on_message(self, message: discord.Message) -> None:
        if message.author != self.user and "go" in message.content:
            self.let_go.set()

    async def on_ready(self) -> None:
        (guild,) = self.guilds
        for channel in guild.text_channels[:2]:
            await channel.send("**Controls**", view=Controls())
            files = [
                discord.File(io.BytesIO(PICTURE), "dot.png"),
                discord.File(io.BytesIO(b"a,b"), "list.csv"),
            ]
            await channel.send(view=Layout(), files=files)
            embed = discord.Embed(title="An embed", description="ends <t:1772442000:R>", colour=0x3FA66B)
            embed.add_field(name="Left", value="1").set_footer(text="At the foot")
            picture = discord.File(io.BytesIO(PICTURE), "photo.png")
            await channel.send(embed=embed, files=[picture, discord.File(io.BytesIO(b"x"), "notes.txt")])
        self.tree.copy_global_to(guild=guild)
        await self.tree.sync(guild=guild)


async def main() -> None:
    base = os.environ["DISCORD_API_BASE"]
    Route.BASE = base
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(os.environ["DISCORD_GATEWAY_URL"])
    async with Showcase() as bot:
        await bot.start(os.environ["DISCORD_TOKEN"])


if __name__ == "__main__":
    asyncio.run(main())
