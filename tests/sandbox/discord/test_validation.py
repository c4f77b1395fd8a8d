"""What Discord refuses, in the form in which it refuses it."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Sandbox

V2 = 1 << 15


def button(custom_id: str = "go", **more: Any) -> dict[str, Any]:
    return {"type": 2, "style": 1, "label": "Go", "custom_id": custom_id} | more


def row(*inner: dict[str, Any]) -> dict[str, Any]:
    return {"type": 1, "components": list(inner)}


def select(count: int, **more: Any) -> dict[str, Any]:
    options = [{"label": str(number), "value": str(number)} for number in range(count)]
    return {"type": 3, "custom_id": "pick", "options": options} | more


def section(text: str = "x", **accessory: Any) -> dict[str, Any]:
    return {
        "type": 9,
        "components": [{"type": 10, "content": text}],
        "accessory": accessory or button(),
    }


LINKED = section(type=2, style=5, label="x", url="https://x")
LARGE = [{"name": f"{number}" + "x" * 90, "value": "y" * 90} for number in range(5)]


def paths(errors: Any, prefix: str = "") -> set[str]:
    """`a.0.b:CODE` of every error in a 50035 body."""
    found: set[str] = set()
    for key, inner in errors.items():
        if key == "_errors":
            found |= {f"{prefix}:{one['code']}" for one in inner}
        else:
            found |= paths(inner, f"{prefix}.{key}" if prefix else key)
    return found


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("text too long", {"content": "x" * 2001}, "content:BASE_TYPE_MAX_LENGTH"),
    ("eleven embeds", {"embeds": [{"title": "x"}] * 11}, "embeds:BASE_TYPE_MAX_LENGTH"),
    ("title too long", {"embeds": [{"title": "x" * 257}]}, "embeds.0.title:BASE_TYPE_MAX_LENGTH"),
    (
        "embeds too long together",
        {"embeds": [{"description": "x" * 3001}, {"description": "x" * 3000}]},
        "embeds:MAX_EMBED_SIZE_EXCEEDED",
    ),
    (
        "field without a value",
        {"embeds": [{"fields": [{"name": "x", "value": ""}]}]},
        "embeds.0.fields.0.value:BASE_TYPE_REQUIRED",
    ),
    (
        "too many fields",
        {"embeds": [{"fields": [{"name": "x", "value": "y"}] * 26}]},
        "embeds.0.fields:BASE_TYPE_MAX_LENGTH",
    ),
    (
        "image of a strange scheme",
        {"embeds": [{"image": {"url": "ftp://x"}}]},
        "embeds.0.image.url:URL_TYPE_INVALID_SCHEME",
    ),
    (
        "six rows",
        {"content": "x", "components": [row(button(str(n))) for n in range(6)]},
        "components:BASE_TYPE_BAD_LENGTH",
    ),
    (
        "six buttons",
        {"content": "x", "components": [row(*(button(str(n)) for n in range(6)))]},
        "components.0.components:BASE_TYPE_BAD_LENGTH",
    ),
    (
        "the same id twice",
        {"content": "x", "components": [row(button("a"), button("a"))]},
        "components.0:COMPONENT_CUSTOM_ID_DUPLICATED",
    ),
    (
        "an id too long",
        {"content": "x", "components": [row(button("a" * 101))]},
        "components.0.components.0.custom_id:BASE_TYPE_BAD_LENGTH",
    ),
    (
        "a link with an id",
        {"content": "x", "components": [row(button(style=5, url="https://x"))]},
        "components.0.components.0:BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE",
    ),
    (
        "a label too long",
        {"content": "x", "components": [row(button(label="x" * 81))]},
        "components.0.components.0.label:BASE_TYPE_MAX_LENGTH",
    ),
    (
        "too many options",
        {"content": "x", "components": [row(select(26))]},
        "components.0.components.0.options:BASE_TYPE_BAD_LENGTH",
    ),
    (
        "a layout without the flag",
        {"content": "x", "components": [section()]},
        "components.0.type:UNION_TYPE_CHOICES",
    ),
    (
        "text beside a layout",
        {"content": "x", "flags": V2, "components": [section()]},
        "content:MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
    ),
    (
        "41 components",
        {"flags": V2, "components": [{"type": 10, "content": "x"}] * 41},
        "components:COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED",
    ),
    (
        "41 nested components",
        {
            "flags": V2,
            "components": [section(type=2, style=5, label="x", url="https://x")] * 13 + [row(button())],
        },
        "components:COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED",
    ),
    (
        "4001 characters in a layout",
        {"flags": V2, "components": [{"type": 10, "content": "x" * 2000}] * 2 + [section()]},
        "components:COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED",
    ),
    (
        "mentions both ways",
        {"content": "x", "allowed_mentions": {"parse": ["users"], "users": ["1"]}},
        "allowed_mentions:MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
    ),
    ("a nonce too long", {"content": "x", "nonce": "n" * 26}, "nonce:BASE_TYPE_MAX_LENGTH"),
]


@pytest.mark.parametrize(("body", "error"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
async def test_an_invalid_message_is_refused_with_the_path(
    sandbox: Sandbox, body: dict[str, Any], error: str
) -> None:
    answer = await sandbox.send(**body)
    assert (answer.status, answer.body["code"]) == (400, 50035)
    assert answer.body["message"] == "Invalid Form Body"
    assert error in paths(answer.body["errors"])
    assert await sandbox.messages() == []


ACCEPTED: list[dict[str, Any]] = [
    {"content": "x" * 2000},
    {"embeds": [{"description": "x" * 3000}, {"description": "x" * 3000}]},
    {"content": "x", "components": [row(*(button(f"{r}{n}") for n in range(5))) for r in range(5)]},
    {"content": "x", "components": [row(select(25, min_values=0, max_values=25))]},
    {"flags": V2, "components": [{"type": 17, "components": [section(f"{n}")]} for n in range(1)]},
    {"flags": V2, "components": [{"type": 10, "content": "x" * 100}] * 40},
]


@pytest.mark.parametrize("body", ACCEPTED)
async def test_what_just_fits_is_accepted(sandbox: Sandbox, body: dict[str, Any]) -> None:
    answer = await sandbox.send(**body)
    assert answer.status == 200, answer.body


async def test_an_empty_message_and_an_emptying_edit(sandbox: Sandbox) -> None:
    empty = await sandbox.send(content="")
    assert (empty.status, empty.body["code"]) == (400, 50006)
    sent = await sandbox.send(content="x")
    path = f"/channels/{sandbox.channel()}/messages/{sent.body['id']}"
    emptied = await sandbox.call("PATCH", path, json={"content": None})
    assert (emptied.status, emptied.body["code"]) == (400, 50006)
    turned = await sandbox.call("PATCH", path, json={"flags": V2, "components": [section()]})
    assert (turned.status, turned.body["code"]) == (400, 50035), "the old text is still there"
    turned = await sandbox.call(
        "PATCH", path, json={"flags": V2, "components": [section()], "content": None, "embeds": []}
    )
    assert turned.status == 200
    assert turned.body["components"][0]["id"] == 1


async def test_bodies_that_are_no_json_or_of_strange_types(sandbox: Sandbox) -> None:
    path = f"/channels/{sandbox.channel()}/messages"
    headers = {"Content-Type": "application/json"}
    answer = await sandbox.call("POST", path, data=b"{", headers=headers)
    assert (answer.status, answer.body["code"]) == (400, 50109)
    answer = await sandbox.call("POST", path, json={"embeds": [{"color": "red"}]})
    assert (answer.status, answer.body["code"]) == (400, 50035)


def command(**more: Any) -> dict[str, Any]:
    return {"name": "fan", "description": "Fans", "type": 1} | more


def option(name: str = "who", **more: Any) -> dict[str, Any]:
    return {"name": name, "description": "Who", "type": 3} | more


COMMANDS: list[tuple[list[dict[str, Any]], str]] = [
    ([command(name="Fan")], "0.name:APPLICATION_COMMAND_INVALID_NAME"),
    ([command(description="x" * 101)], "0.description:BASE_TYPE_BAD_LENGTH"),
    ([command(description="")], "0.description:BASE_TYPE_REQUIRED"),
    ([command(), command()], "1.name:APPLICATION_COMMANDS_DUPLICATE_NAME"),
    (
        [command(options=[option("a"), option("b", required=True)])],
        "0.options.1:APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
    ),
    ([command(options=[option(str(n)) for n in range(26)])], "0.options:BASE_TYPE_MAX_LENGTH"),
    (
        [command(options=[option(choices=[{"name": str(n), "value": str(n)} for n in range(26)])])],
        "0.options.0.choices:BASE_TYPE_MAX_LENGTH",
    ),
    ([command(options=[option(type=99)])], "0.options.0.type:BASE_TYPE_CHOICES"),
    (
        [command(options=[option(type=2, options=[option(type=2)])])],
        "0.options.0.options.0.type:APPLICATION_COMMAND_OPTIONS_TYPE_INVALID",
    ),
    (
        [
            command(
                options=[
                    option(str(n), choices=[{"name": f"{c}" + "x" * 90, "value": "y" * 90} for c in range(5)])
                    for n in range(10)
                ]
            )
        ],
        "0:APPLICATION_COMMAND_TOO_LARGE",
    ),
]


@pytest.mark.parametrize(("body", "error"), COMMANDS)
async def test_an_invalid_command_is_refused(
    sandbox: Sandbox, body: list[dict[str, Any]], error: str
) -> None:
    ids = sandbox.discord.ids
    answer = await sandbox.call("PUT", f"/applications/{ids.bot}/guilds/{ids.guild}/commands", json=body)
    assert (answer.status, answer.body["code"]) == (400, 50035)
    assert error in paths(answer.body["errors"])


async def test_commands_keep_their_ids_when_registered_again(sandbox: Sandbox) -> None:
    ids = sandbox.discord.ids
    path = f"/applications/{ids.bot}/guilds/{ids.guild}/commands"
    first = (await sandbox.call("PUT", path, json=[command(), command(name="my")])).body
    again = (await sandbox.call("PUT", path, json=[command(options=[option()])])).body
    assert again[0]["id"] == first[0]["id"]
    assert (await sandbox.call("GET", path)).body == again
    assert (await sandbox.call("DELETE", f"{path}/{again[0]['id']}")).status == 204
    assert (await sandbox.call("GET", path)).body == []
