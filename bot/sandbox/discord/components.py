"""Message components: Discord's rules for them, and finding one in a message."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from typing import Any, Final

from .errors import Form

Path = tuple[str | int, ...]


class Kind(IntEnum):
    ACTION_ROW = 1
    BUTTON = 2
    STRING_SELECT = 3
    TEXT_INPUT = 4
    USER_SELECT = 5
    ROLE_SELECT = 6
    MENTIONABLE_SELECT = 7
    CHANNEL_SELECT = 8
    SECTION = 9
    TEXT_DISPLAY = 10
    THUMBNAIL = 11
    MEDIA_GALLERY = 12
    FILE = 13
    SEPARATOR = 14
    CONTAINER = 17
    LABEL = 18
    FILE_UPLOAD = 19
    RADIO_GROUP = 21
    CHECKBOX_GROUP = 22
    CHECKBOX = 23


SELECTS: Final = frozenset(
    {
        Kind.STRING_SELECT,
        Kind.USER_SELECT,
        Kind.ROLE_SELECT,
        Kind.MENTIONABLE_SELECT,
        Kind.CHANNEL_SELECT,
    }
)
_IN_CONTAINER: Final = frozenset(
    {
        Kind.ACTION_ROW,
        Kind.SECTION,
        Kind.TEXT_DISPLAY,
        Kind.MEDIA_GALLERY,
        Kind.FILE,
        Kind.SEPARATOR,
    }
)
_TOP_V2: Final = _IN_CONTAINER | {Kind.CONTAINER}
LINK: Final = 5
PREMIUM: Final = 6
DEFAULT_KINDS: Final = {
    Kind.USER_SELECT: ("user",),
    Kind.ROLE_SELECT: ("role",),
    Kind.MENTIONABLE_SELECT: ("user", "role"),
    Kind.CHANNEL_SELECT: ("channel",),
}
"""The types of what may be chosen beforehand in each select but that of texts."""
_ONE: Final = {"min_values": 1, "max_values": 1}
_PLAIN: Final = {"description": None, "spoiler": False}
_LEFT_OUT: Final[dict[int, dict[str, Any]]] = {
    **dict.fromkeys(SELECTS, _ONE),
    Kind.CONTAINER: {"accent_color": None, "spoiler": False},
    Kind.SEPARATOR: {"spacing": 1, "divider": True},
    Kind.THUMBNAIL: _PLAIN,
    Kind.FILE: {"spoiler": False},
}
MAX_OPTIONS: Final = 25
MAX_V2: Final = 40
MAX_V2_TEXT: Final = 4000


def walk(components: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Every component, nested ones and accessories too, in the order they are shown."""
    for component in components:
        yield component
        yield from walk(component.get("components") or [])
        for single in ("component", "accessory"):
            inner = component.get(single)
            if isinstance(inner, dict):
                yield from walk([inner])


def find(components: list[dict[str, Any]], custom_id: str) -> dict[str, Any] | None:
    return next((one for one in walk(components) if one.get("custom_id") == custom_id), None)


def with_ids(components: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same components with the ids Discord gives to those that have none, and ids of people as texts."""
    taken = {one["id"] for one in walk(components) if one.get("id")}
    following = 1
    for component in walk(components):
        if not component.get("id"):
            while following in taken:
                following += 1
            taken.add(following)
            component["id"] = following
        for chosen in component.get("default_values") or []:
            chosen["id"] = str(chosen["id"])
    return components


def completed(components: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The components of a message as Discord gives them back: with ids, and with what was left out."""
    for component in walk(with_ids(components)):
        for key, value in _LEFT_OUT.get(component["type"], {}).items():
            component.setdefault(key, value)
    return components


def check_message(components: Any, *, v2: bool, form: Form) -> None:
    if not isinstance(components, list):
        form.add(("components",), "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
        return
    if v2:
        _check_v2(components, form)
    else:
        if len(components) > 5:
            form.add(("components",), "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.")
        for index, component in enumerate(components):
            path = ("components", index)
            if kind_of(component) != Kind.ACTION_ROW:
                form.add((*path, "type"), "UNION_TYPE_CHOICES", 'Value of field "type" must be one of (1,).')
                continue
            _check_row(component, path, form)
    check_unique(components, ("components",), form)


def _check_v2(components: list[dict[str, Any]], form: Form) -> None:
    total = sum(1 for _ in walk(components))
    if total > MAX_V2:
        form.add(
            ("components",),
            "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED",
            f"The total number of components in the message exceeds the maximum of {MAX_V2}",
        )
    text = sum(
        len(str(one.get("content", ""))) for one in walk(components) if kind_of(one) == Kind.TEXT_DISPLAY
    )
    if text > MAX_V2_TEXT:
        form.add(
            ("components",),
            "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED",
            f"The displayable text size in components exceeds the maximum of {MAX_V2_TEXT}",
        )
    for index, component in enumerate(components):
        _check_layout(component, _TOP_V2, ("components", index), form)


def _check_layout(component: dict[str, Any], allowed: frozenset[Kind], path: Path, form: Form) -> None:
    kind = kind_of(component)
    if kind not in allowed:
        names = ", ".join(str(int(one)) for one in sorted(allowed))
        form.add((*path, "type"), "UNION_TYPE_CHOICES", f'Value of field "type" must be one of ({names}).')
        return
    if kind == Kind.ACTION_ROW:
        _check_row(component, path, form)
    elif kind == Kind.TEXT_DISPLAY:
        check_text(component, "content", path, form, 1, MAX_V2_TEXT, required=True)
    elif kind == Kind.SECTION:
        inner = component.get("components") or []
        if not 1 <= len(inner) <= 3:
            form.add((*path, "components"), "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 3 in length.")
        for index, one in enumerate(inner):
            _check_layout(one, frozenset({Kind.TEXT_DISPLAY}), (*path, "components", index), form)
        _check_accessory(component.get("accessory"), (*path, "accessory"), form)
    elif kind == Kind.CONTAINER:
        inner = component.get("components") or []
        if not inner:
            form.add((*path, "components"), "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 40 in length.")
        for index, one in enumerate(inner):
            _check_layout(one, _IN_CONTAINER, (*path, "components", index), form)
    elif kind == Kind.MEDIA_GALLERY and not 1 <= len(component.get("items") or []) <= 10:
        form.add((*path, "items"), "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 10 in length.")


def _check_accessory(accessory: Any, path: Path, form: Form) -> None:
    if not isinstance(accessory, dict):
        form.required(path)
    elif kind_of(accessory) == Kind.BUTTON:
        _check_button(accessory, path, form)
    elif kind_of(accessory) != Kind.THUMBNAIL:
        form.add((*path, "type"), "UNION_TYPE_CHOICES", 'Value of field "type" must be one of (2, 11).')


def _check_row(row: dict[str, Any], path: Path, form: Form) -> None:
    inner = row.get("components") or []
    selects = sum(1 for one in inner if kind_of(one) in SELECTS)
    if not 1 <= len(inner) <= 5:
        form.add((*path, "components"), "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.")
    elif selects and len(inner) > 1:
        form.add(
            (*path, "components"),
            "COMPONENT_LAYOUT_WIDTH_EXCEEDED",
            "The specified component exceeds the maximum width",
        )
    for index, one in enumerate(inner):
        here = (*path, "components", index)
        kind = kind_of(one)
        if kind == Kind.BUTTON:
            _check_button(one, here, form)
        elif kind in SELECTS:
            check_select(one, here, form)
        else:
            form.add(
                (*here, "type"),
                "UNION_TYPE_CHOICES",
                'Value of field "type" must be one of (2, 3, 5, 6, 7, 8).',
            )


def _check_button(button: dict[str, Any], path: Path, form: Form) -> None:
    style = button.get("style")
    if style not in (1, 2, 3, 4, LINK, PREMIUM):
        form.choices((*path, "style"), "1, 2, 3, 4, 5, 6")
        return
    if style == PREMIUM:
        if not button.get("sku_id"):
            form.add(path, "BUTTON_COMPONENT_SKU_ID_REQUIRED", "A sku id is required")
        return
    if style == LINK:
        if button.get("custom_id"):
            form.add(
                path,
                "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE",
                "A custom id and url cannot both be specified",
            )
        check_text(button, "url", path, form, 1, 512, required=True)
        url = button.get("url")
        if isinstance(url, str) and not url.startswith(("http://", "https://", "discord://")):
            form.add(
                (*path, "url"),
                "URL_TYPE_INVALID_SCHEME",
                f'Scheme "{url.partition(":")[0]}" is not supported. '
                "Scheme must be one of ('discord', 'http', 'https').",
            )
    else:
        if button.get("url"):
            form.add(
                path,
                "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE",
                "A custom id and url cannot both be specified",
            )
        check_custom_id(button, path, form)
    check_text(button, "label", path, form, 0, 80)
    if not button.get("label") and not button.get("emoji"):
        form.add(path, "BUTTON_COMPONENT_INVALID_STYLE", "A label or emoji is required")


def check_select(select: dict[str, Any], path: Path, form: Form) -> None:
    check_custom_id(select, path, form)
    check_text(select, "placeholder", path, form, 0, 150)
    low, high = _check_counts(select, path, form)
    if kind_of(select) != Kind.STRING_SELECT:
        _check_defaults(select, (*path, "default_values"), low, high, form)
        return
    options = select.get("options") or []
    if not 1 <= len(options) <= 25:
        form.add((*path, "options"), "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 25 in length.")
    seen: set[str] = set()
    for index, option in enumerate(options):
        here = (*path, "options", index)
        check_text(option, "label", here, form, 1, 100, required=True)
        check_text(option, "value", here, form, 1, 100, required=True)
        check_text(option, "description", here, form, 0, 100)
        if option.get("value") in seen:
            form.add(
                (*here, "value"),
                "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED",
                "The specified option value is already used",
            )
        seen.add(str(option.get("value")))
    if high > max(len(options), 1):
        form.add(
            (*path, "max_values"),
            "SELECT_COMPONENT_MAX_VALUES_EXCEEDS_OPTIONS",
            "max_values exceeds the number of options",
        )


def _check_counts(select: dict[str, Any], path: Path, form: Form) -> tuple[int, int]:
    """How few and how many may be chosen."""
    found: list[int] = []
    for key, least in (("min_values", 0), ("max_values", 1)):
        value = select.get(key)
        if value is None:
            found.append(1)
            continue
        check_number(select, key, path, form, least, MAX_OPTIONS)
        found.append(value if isinstance(value, int) else 1)
    low, high = found
    if low > high:
        form.add(
            (*path, "min_values"),
            "SELECT_COMPONENT_MIN_VALUES_EXCEEDS_MAX_VALUES",
            "min_values exceeds max_values",
        )
    return low, high


def _check_defaults(select: dict[str, Any], path: Path, low: int, high: int, form: Form) -> None:
    """What is chosen before the member touches a select of users, roles or channels."""
    given = select.get("default_values")
    if not given:
        return
    if not isinstance(given, list) or not low <= len(given) <= high:
        form.add(path, "BASE_TYPE_BAD_LENGTH", f"Must be between {low} and {high} in length.")
        return
    kinds = DEFAULT_KINDS[Kind(kind_of(select))]
    for index, one in enumerate(given):
        if not isinstance(one, dict):
            form.add((*path, index), "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType")
            continue
        if one.get("type") not in kinds:
            form.choices((*path, index, "type"), ", ".join(f"'{kind}'" for kind in kinds))
        if not str(one.get("id", "")).isdecimal():
            form.add((*path, index, "id"), "NUMBER_TYPE_COERCE", f'Value "{one.get("id")}" is not snowflake.')


def check_unique(components: list[dict[str, Any]], path: Path, form: Form) -> None:
    """That no custom_id is there twice; `path` is that of the list."""
    seen: set[str] = set()
    for top, component in enumerate(components):
        for one in walk([component]):
            custom_id = one.get("custom_id")
            if custom_id is None:
                continue
            if custom_id in seen:
                form.add(
                    (*path, top),
                    "COMPONENT_CUSTOM_ID_DUPLICATED",
                    "Component custom id cannot be duplicated",
                )
            seen.add(custom_id)


def kind_of(component: Any) -> int:
    kind = component.get("type") if isinstance(component, dict) else None
    return kind if isinstance(kind, int) else 0


def check_custom_id(component: dict[str, Any], path: Path, form: Form) -> None:
    check_text(component, "custom_id", path, form, 1, 100, required=True)


def check_text(
    one: dict[str, Any], key: str, path: Path, form: Form, low: int, high: int, *, required: bool = False
) -> None:
    value = one.get(key)
    if value is None:
        if required:
            form.required((*path, key))
        return
    form.length((*path, key), value, low, high)


def check_number(one: dict[str, Any], key: str, path: Path, form: Form, low: int, high: int) -> None:
    """That a number, where there is one, is whole and from `low` to `high`."""
    value = one.get(key)
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int):
        form.add((*path, key), "NUMBER_TYPE_COERCE", f'Value "{value}" is not int.')
    elif value < low:
        form.add((*path, key), "NUMBER_TYPE_MIN", f"int value should be greater than or equal to {low}.")
    elif value > high:
        form.add((*path, key), "NUMBER_TYPE_MAX", f"int value should be less than or equal to {high}.")
