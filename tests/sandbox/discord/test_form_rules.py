"""What Discord refuses of a form and of the other answers to an interaction, with the path it names."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Sandbox
from .test_validation import paths
from .test_wire_protocol import PING, gateway, opened, register


def text(**more: Any) -> dict[str, Any]:
    return {"type": 4, "custom_id": "t", "style": 1} | more


def pick(kind: int = 3, **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"type": kind, "custom_id": "p"}
    if kind == 3:
        made["options"] = [{"label": "A", "value": "a"}]
    return made | more


def label(component: Any, **more: Any) -> dict[str, Any]:
    return {"type": 18, "label": "L", "component": component} | more


def form(*components: Any, **more: Any) -> dict[str, Any]:
    return {"title": "T", "custom_id": "m", "components": list(components)} | more


def options(count: int) -> list[dict[str, Any]]:
    return [{"label": str(number), "value": str(number)} for number in range(count)]


CARL = {"id": "1", "type": "user"}
INNER = "data.components.0.component"
REFUSED: list[tuple[str, Any, str]] = [
    ("no title", form(label(text()), title=""), "data.title:BASE_TYPE_REQUIRED"),
    ("a long title", form(label(text()), title="x" * 46), "data.title:BASE_TYPE_MAX_LENGTH"),
    ("a long id", form(label(text()), custom_id="x" * 101), "data.custom_id:BASE_TYPE_BAD_LENGTH"),
    ("nothing in it", form(), "data.components:BASE_TYPE_BAD_LENGTH"),
    (
        "six labels",
        form(*(label(text(custom_id=str(n))) for n in range(6))),
        "data.components:BASE_TYPE_BAD_LENGTH",
    ),
    ("a button", form({"type": 2}), "data.components.0.type:UNION_TYPE_CHOICES"),
    ("an empty label", form(label(None)), f"{INNER}:BASE_TYPE_REQUIRED"),
    ("a button in a label", form(label({"type": 2})), f"{INNER}.type:UNION_TYPE_CHOICES"),
    (
        "a select in a row",
        form({"type": 1, "components": [pick()]}),
        "data.components.0.components.0.type:UNION_TYPE_CHOICES",
    ),
    (
        "a long label",
        form(label(text(), label="x" * 46)),
        "data.components.0.label:BASE_TYPE_MAX_LENGTH",
    ),
    (
        "a long description",
        form(label(text(), description="x" * 101)),
        "data.components.0.description:BASE_TYPE_BAD_LENGTH",
    ),
    ("a long value", form(label(text(value="x" * 4001))), f"{INNER}.value:BASE_TYPE_MAX_LENGTH"),
    ("room for more than 4000", form(label(text(max_length=4001))), f"{INNER}.max_length:NUMBER_TYPE_MAX"),
    ("room for nothing", form(label(text(max_length=0))), f"{INNER}.max_length:NUMBER_TYPE_MIN"),
    (
        "a long placeholder",
        form(label(text(placeholder="x" * 101))),
        f"{INNER}.placeholder:BASE_TYPE_MAX_LENGTH",
    ),
    (
        "an id of a field too long",
        form(label(text(custom_id="x" * 101))),
        f"{INNER}.custom_id:BASE_TYPE_BAD_LENGTH",
    ),
    (
        "the same id twice",
        form(label(text()), label(text())),
        "data.components.1:COMPONENT_CUSTOM_ID_DUPLICATED",
    ),
    ("26 options", form(label(pick(options=options(26)))), f"{INNER}.options:BASE_TYPE_BAD_LENGTH"),
    ("26 to choose", form(label(pick(5, max_values=26))), f"{INNER}.max_values:NUMBER_TYPE_MAX"),
    (
        "required and yet none",
        form(label(pick(5, min_values=0))),
        f"{INNER}.min_values:SELECT_COMPONENT_REQUIRED_ZERO_MIN_VALUES",
    ),
    (
        "a role in a select of users",
        form(label(pick(5, default_values=[{"id": "1", "type": "role"}]))),
        f"{INNER}.default_values.0.type:BASE_TYPE_CHOICES",
    ),
    (
        "more chosen than allowed",
        form(label(pick(5, default_values=[CARL, CARL | {"id": "2"}]))),
        f"{INNER}.default_values:BASE_TYPE_BAD_LENGTH",
    ),
]
WIDEST = form(
    label(text(value="x" * 4000, min_length=0, max_length=4000), label="x" * 45, description="x" * 100),
    label(pick(options=options(25), min_values=1, max_values=25)),
    label(pick(5, custom_id="u", default_values=[CARL], required=False, min_values=0)),
    label(pick(6, custom_id="r", default_values=[{"id": 2, "type": "role"}])),
    label(
        pick(8, custom_id="x" * 100, channel_types=[0, 11], default_values=[{"id": "3", "type": "channel"}])
    ),
    title="x" * 45,
    custom_id="x" * 100,
)


@pytest.mark.parametrize(("data", "error"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
async def test_an_invalid_form_is_refused_with_the_path(sandbox: Sandbox, data: Any, error: str) -> None:
    await register(sandbox, PING)
    async with gateway(sandbox) as socket:
        await socket.identify()
        act, _, path = await opened(sandbox, socket)
        answer = await sandbox.call("POST", path, json={"type": 9, "data": data})
        assert (answer.status, answer.body["code"]) == (400, 50035)
        assert paths(answer.body["errors"]) == {error}
        fitting = await sandbox.call("POST", path, json={"type": 9, "data": WIDEST})
        assert fitting.status == 204, "what just fits is shown, and the refusal has answered nothing"
        assert (await act)["modal"]["title"] == "x" * 45


async def test_the_paths_of_an_answer_begin_where_the_message_stands(sandbox: Sandbox) -> None:
    await register(sandbox, PING)
    async with gateway(sandbox) as socket:
        await socket.identify()
        act, payload, path = await opened(sandbox, socket)
        long = await sandbox.call("POST", path, json={"type": 4, "data": {"content": "x" * 2001}})
        assert paths(long.body["errors"]) == {"data.content:BASE_TYPE_MAX_LENGTH"}
        strange = await sandbox.call("POST", path, json={"type": 7, "data": {"content": "x"}})
        assert paths(strange.body["errors"]) == {"type:BASE_TYPE_CHOICES"}
        empty = await sandbox.call("POST", path, json={"type": 4, "data": {"content": ""}})
        assert (empty.status, empty.body["code"]) == (400, 50006)
        assert (await sandbox.call("POST", path, json={"type": 5})).status == 204
        original = f"/webhooks/{payload['application_id']}/{payload['token']}/messages/@original"
        edited = await sandbox.call("PATCH", original, json={"content": "x" * 2001})
        assert paths(edited.body["errors"]) == {"content:BASE_TYPE_MAX_LENGTH"}
        assert (await sandbox.call("PATCH", original, json={"content": "x"})).status == 200
        assert (await act)["settled"]


SELECTS: list[tuple[dict[str, Any], str]] = [
    (pick(5, default_values=[{"id": "1", "type": "channel"}]), "default_values.0.type:BASE_TYPE_CHOICES"),
    (pick(8, default_values=[{"id": "x", "type": "channel"}]), "default_values.0.id:NUMBER_TYPE_COERCE"),
    (pick(6, placeholder="x" * 151), "placeholder:BASE_TYPE_MAX_LENGTH"),
    (pick(6, max_values=0), "max_values:NUMBER_TYPE_MIN"),
    (pick(3, options=options(26)), "options:BASE_TYPE_BAD_LENGTH"),
]


@pytest.mark.parametrize(("select", "error"), SELECTS)
async def test_a_select_of_a_message_is_checked_too(
    sandbox: Sandbox, select: dict[str, Any], error: str
) -> None:
    refused = await sandbox.send(content="x", components=[{"type": 1, "components": [select]}])
    assert refused.body["code"] == 50035
    assert f"components.0.components.0.{error}" in paths(refused.body["errors"])
    required = pick(5, min_values=0, required=True)
    sent = await sandbox.send(content="x", components=[{"type": 1, "components": [required]}])
    assert sent.status == 200, "a message takes no notice of `required`"
