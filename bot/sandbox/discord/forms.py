"""What a member chooses in a select and writes in a modal, checked as Discord's client checks it."""

from __future__ import annotations

from typing import Any

from . import components as rules
from .components import Kind
from .control import bad


def check_values(component: dict[str, Any], values: list[str], *, field: str = "values") -> None:
    """That a button is one that can be pressed, or that these values can be chosen in a select."""
    kind = component["type"]
    if kind == Kind.BUTTON:
        if component.get("style") in (rules.LINK, rules.PREMIUM):
            bad("custom_id", "such a button tells the bot nothing")
        if values:
            bad(field, "a button has no values")
        return
    if kind not in rules.SELECTS:
        bad("custom_id", "that is nothing to press")
    low = component.get("min_values")
    _check_count(values, 1 if low is None else low, component.get("max_values") or 1, field)
    if kind == Kind.STRING_SELECT:
        _check_known(component, values, field)


def _check_count(values: list[str], low: int, high: int, field: str) -> None:
    if not low <= len(values) <= high:
        bad(field, f"choose {low} to {high}")
    if len(set(values)) < len(values):
        bad(field, "nothing can be chosen twice")


def _check_known(component: dict[str, Any], values: list[str], field: str) -> None:
    known = {option["value"] for option in component.get("options") or []}
    for value in values:
        if value not in known:
            bad(field, f"{value!r} is none of the options")


def filled(
    components: list[dict[str, Any]], fields: dict[str, Any], *, lenient: bool
) -> list[dict[str, Any]]:
    """The components of a modal submission. `lenient` takes anything, and leaves required fields empty."""
    known = {one["custom_id"] for one in rules.walk(components) if one.get("custom_id")}
    for name in fields:
        if name not in known and not lenient:
            bad(f"fields.{name}", "the form has no such field")
    made = []
    for component in components:
        kind, number = component["type"], component.get("id", 0)
        if kind == Kind.ACTION_ROW:
            inner = [_input(one, fields, lenient=lenient) for one in component["components"]]
            made.append({"type": kind, "id": number, "components": inner})
        elif kind == Kind.LABEL:
            inner_one = _input(component["component"], fields, lenient=lenient)
            made.append({"type": kind, "id": number, "component": inner_one})
        else:
            made.append({"type": kind, "id": number})
    return made


def _input(component: dict[str, Any], fields: dict[str, Any], *, lenient: bool) -> dict[str, Any]:
    kind, custom_id = component["type"], component["custom_id"]
    sent: dict[str, Any] = {"type": kind, "id": component.get("id", 0), "custom_id": custom_id}
    given = fields.get(custom_id)
    field = f"fields.{custom_id}"
    required = component.get("required", True) is not False
    if kind == Kind.TEXT_INPUT:
        if given is None:
            given = component.get("value") or ""
        if not isinstance(given, str):
            bad(field, "a text is needed")
        if not lenient:
            _check_text(component, given, field, required=required)
        return sent | {"value": given}
    if kind == Kind.CHECKBOX:
        return sent | {"value": bool(given if given is not None else component.get("default"))}
    if kind == Kind.RADIO_GROUP:
        value = given[0] if isinstance(given, list) and given else given
        if not lenient and value is None and required:
            bad(field, "a choice is needed")
        if not lenient and value is not None:
            _check_known(component, [str(value)], field)
        return sent | {"value": value or None}
    values = [given] if isinstance(given, str) else list(given or _defaults(component))
    values = [str(value) for value in values]
    if not lenient:
        low = component.get("min_values")
        least = (1 if low is None else low) if required or values else 0
        _check_count(values, least, component.get("max_values") or max(1, least), field)
        if kind in (Kind.STRING_SELECT, Kind.CHECKBOX_GROUP):
            _check_known(component, values, field)
    return sent | {"values": values}


def _defaults(component: dict[str, Any]) -> list[str]:
    """What stands in the field before the member touches it."""
    chosen = [option["value"] for option in component.get("options") or [] if option.get("default")]
    return chosen or [one["id"] for one in component.get("default_values") or []]


def _check_text(component: dict[str, Any], given: str, field: str, *, required: bool) -> None:
    if not given:
        if required:
            bad(field, "the field is required")
        return
    low, high = component.get("min_length") or 0, component.get("max_length") or 4000
    if not low <= len(given) <= high:
        bad(field, f"{low} to {high} characters")


def forged(fields: dict[str, Any]) -> list[dict[str, Any]]:
    """A submission of a form that was never shown: texts as text inputs, lists as selects."""
    made: list[dict[str, Any]] = []
    for index, (name, value) in enumerate(fields.items()):
        about = {"id": 2 * index + 2, "custom_id": name}
        if isinstance(value, list):
            inner = {"type": int(Kind.STRING_SELECT), **about, "values": [str(one) for one in value]}
            made.append({"type": int(Kind.LABEL), "id": 2 * index + 1, "component": inner})
        else:
            inner = {"type": int(Kind.TEXT_INPUT), **about, "value": str(value)}
            made.append({"type": int(Kind.ACTION_ROW), "id": 2 * index + 1, "components": [inner]})
    return made
