"""Modals: Discord's rules for a form as it stands in an interaction's answer."""

from __future__ import annotations

from typing import Any, Final

from .components import (
    MAX_V2_TEXT,
    SELECTS,
    Kind,
    Path,
    check_custom_id,
    check_number,
    check_select,
    check_text,
    check_unique,
    kind_of,
)
from .errors import Form

MAX_COMPONENTS: Final = 5
MAX_LABEL: Final = 45
MAX_DESCRIPTION: Final = 100
MAX_PLACEHOLDER: Final = 100
MAX_INPUT: Final = 4000
_OTHERS: Final = (Kind.FILE_UPLOAD, Kind.RADIO_GROUP, Kind.CHECKBOX_GROUP, Kind.CHECKBOX)
_IN_LABEL: Final = ", ".join(str(int(kind)) for kind in sorted({Kind.TEXT_INPUT, *SELECTS, *_OTHERS}))


def check_modal(data: Any, form: Form) -> None:
    """Title, custom_id, and one to five labels, texts, or rows with one text input each.

    Paths begin with `data`, where a form stands in the answer.
    """
    if not isinstance(data, dict):
        form.required(("data",))
        return
    _label(data, "title", ("data",), form)
    check_custom_id(data, ("data",), form)
    components = data.get("components")
    path: Path = ("data", "components")
    if not isinstance(components, list) or not 1 <= len(components) <= MAX_COMPONENTS:
        form.add(path, "BASE_TYPE_BAD_LENGTH", f"Must be between 1 and {MAX_COMPONENTS} in length.")
        return
    for index, component in enumerate(components):
        _check_top(component, (*path, index), form)
    check_unique(components, path, form)


def _check_top(component: Any, path: Path, form: Form) -> None:
    kind = kind_of(component)
    if kind == Kind.ACTION_ROW:
        inner = component.get("components") or []
        if len(inner) != 1:
            form.add((*path, "components"), "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 1 in length.")
        elif kind_of(inner[0]) != Kind.TEXT_INPUT:
            _no_such_type((*path, "components", 0), "4", form)
        else:
            _label(inner[0], "label", (*path, "components", 0), form)
            _check_input(inner[0], (*path, "components", 0), form)
    elif kind == Kind.LABEL:
        _label(component, "label", path, form)
        check_text(component, "description", path, form, 1, MAX_DESCRIPTION)
        _check_labelled(component.get("component"), (*path, "component"), form)
    elif kind == Kind.TEXT_DISPLAY:
        check_text(component, "content", path, form, 1, MAX_V2_TEXT, required=True)
    else:
        _no_such_type(path, "1, 10, 18", form)


def _check_labelled(one: Any, path: Path, form: Form) -> None:
    if not isinstance(one, dict):
        form.required(path)
        return
    kind = kind_of(one)
    if kind == Kind.TEXT_INPUT:
        _check_input(one, path, form)
    elif kind in SELECTS:
        check_select(one, path, form)
        _check_modal_select(one, path, form)
    elif kind in _OTHERS:
        check_custom_id(one, path, form)
    else:
        _no_such_type(path, _IN_LABEL, form)


def _check_modal_select(select: dict[str, Any], path: Path, form: Form) -> None:
    # What is left out is required here, while a message takes no notice of it.
    if select.get("required") is not False and select.get("min_values") == 0:
        form.add(
            (*path, "min_values"),
            "SELECT_COMPONENT_REQUIRED_ZERO_MIN_VALUES",
            "Select menus marked as required cannot have a min_values of 0",
        )
    if select.get("disabled"):
        form.add((*path, "disabled"), "COMPONENT_DISABLED_IN_MODAL", "A select in a modal cannot be disabled")


def _check_input(one: dict[str, Any], path: Path, form: Form) -> None:
    check_custom_id(one, path, form)
    check_text(one, "placeholder", path, form, 0, MAX_PLACEHOLDER)
    check_text(one, "value", path, form, 0, MAX_INPUT)
    if one.get("style") not in (1, 2):
        form.choices((*path, "style"), "1, 2")
    check_number(one, "min_length", path, form, 0, MAX_INPUT)
    check_number(one, "max_length", path, form, 1, MAX_INPUT)


def _label(one: dict[str, Any], key: str, path: Path, form: Form) -> None:
    """A required text of at most 45 characters."""
    if not one.get(key):
        form.required((*path, key))
    else:
        form.length((*path, key), one[key], 0, MAX_LABEL)


def _no_such_type(path: Path, allowed: str, form: Form) -> None:
    form.add((*path, "type"), "UNION_TYPE_CHOICES", f'Value of field "type" must be one of ({allowed}).')
