from __future__ import annotations

from typing import Any, cast

import pytest

from bot.discord_ui import words
from bot.discord_ui.options import Options
from bot.domain.views import FanChoice
from cogs.fans import Fans
from tests.bot.discord_ui import views
from tests.bot.discord_ui.fakes import CHATTER, NOBODY, FakeFans, FakeInteraction, FakeRules

CHOICE = FanChoice(1, "Amber Vale", views.fan(), 123_400, "USD", None)


def make_cog(fans: FakeFans) -> Fans:
    return make_cog_in(fans, FakeRules())


def make_cog_in(fans: FakeFans, rules: FakeRules) -> Fans:
    options = Options(cast("Any", fans), cast("Any", None), cast("Any", None), rules)
    return Fans(cast("Any", fans), options, rules, cast("Any", None), cast("Any", None))


async def lookup(fans: FakeFans, text: str, *, show: bool = False) -> FakeInteraction:
    cog, interaction = make_cog(fans), FakeInteraction(CHATTER)
    await cast("Any", cog.lookup.callback)(cog, interaction, text, show)
    return interaction


@pytest.mark.parametrize("show", [False, True])
async def test_a_profile_is_private_unless_shown(show: bool) -> None:
    fans = FakeFans(found=views.profile())
    done = await lookup(fans, "f:1", show=show)
    assert fans.asked == [(CHATTER, "f:1")]
    assert done.kinds == ["message"]
    assert done.log[0][1]["ephemeral"] is not show
    assert done.log[0][1]["embeds"][0].title == "fan_17850 · Amber Vale"


async def test_a_fan_of_another_channels_creator_is_not_shown_here() -> None:
    interaction = FakeInteraction(CHATTER)
    cog = make_cog_in(FakeFans(found=views.profile()), FakeRules(creator_id=99))
    await cast("Any", cog.lookup.callback)(cog, interaction, "f:1", True)
    assert interaction.sentence == words.SHOW_ELSEWHERE
    assert interaction.log[0][1]["ephemeral"] is True


async def test_several_fans_make_a_private_list_even_when_showing() -> None:
    done = await lookup(FakeFans(found=[CHOICE, CHOICE]), "joe", show=True)
    assert done.log[0][1]["ephemeral"] is True
    assert done.sentence == words.PICK_ONE


async def test_nobody_by_that_name_is_said_in_private() -> None:
    done = await lookup(FakeFans(), "joe", show=True)
    assert (done.sentence, done.log[0][1]["ephemeral"]) == (words.NOT_FOUND, True)


async def test_autocomplete_names_the_fan_the_creator_and_the_money() -> None:
    cog = make_cog(FakeFans(choices=[CHOICE]))
    (choice,) = await cog.complete_fan(cast("Any", FakeInteraction(CHATTER)), "fan")
    assert (choice.name, choice.value) == ("fan_17850 · Amber Vale · $1,234", "f:1")


async def test_autocomplete_gives_nothing_to_people_without_a_role() -> None:
    fans = FakeFans(choices=[CHOICE])
    assert await make_cog(fans).complete_fan(cast("Any", FakeInteraction(NOBODY)), "fan") == []
    assert fans.asked == []


async def test_autocomplete_searches_for_the_latest_text_of_a_person_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fans = FakeFans(choices=[CHOICE])
    cog = make_cog(fans)
    older, newer = FakeInteraction(CHATTER), FakeInteraction(CHATTER)
    newer.id = older.id + 1
    nested: list[Any] = []

    async def overtaken(interaction: Any, _: Any) -> Any:
        if interaction is older:
            nested.extend(await cog.complete_fan(cast("Any", newer), "fan_1"))
        return interaction.extras["fanwatch_viewer"]

    monkeypatch.setattr("bot.discord_ui.options.viewer_of", overtaken)
    assert await cog.complete_fan(cast("Any", older), "fan") == []
    assert len(nested) == 1
    assert [text for _, text in fans.asked] == ["fan_1"]
