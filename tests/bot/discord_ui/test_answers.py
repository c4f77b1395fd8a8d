from __future__ import annotations

from typing import Any, cast

from bot.discord_ui import words
from bot.discord_ui.answers import Answer
from bot.discord_ui.cards import one_line
from tests.bot.discord_ui.fakes import CHATTER, FakeInteraction


async def test_a_slow_answer_is_deferred_in_private_even_if_it_will_be_public() -> None:
    interaction = FakeInteraction(CHATTER)
    async with Answer(cast("Any", interaction), defer_after_s=0) as answer:
        await interaction.deferred.wait()
        await answer.send(one_line("for all", is_layout=False), private=False)
    kinds = [(kind, fields.get("content"), fields.get("ephemeral")) for kind, fields in interaction.log]
    assert kinds == [
        ("deferred", None, True),
        ("edit", words.SHOWN, None),
        ("followup", "for all", False),
    ]


async def test_a_slow_private_answer_uses_the_deferral() -> None:
    interaction = FakeInteraction(CHATTER)
    async with Answer(cast("Any", interaction), defer_after_s=0) as answer:
        await interaction.deferred.wait()
        await answer.say("for you")
    assert interaction.kinds == ["deferred", "followup"]
    assert interaction.log[1][1]["ephemeral"] is True
