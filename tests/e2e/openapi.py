"""Holds recorded requests against Discord's own OpenAPI file: route, query names and JSON body."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tests.e2e.harness import SHARED, Json

SPEC = SHARED / "discord-openapi.json"
PREFIX = "/api/v10"
_URI = "urn:discord-openapi"
_METHODS = ("get", "put", "post", "patch", "delete")


def _pointer(*steps: str) -> str:
    return "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)


@dataclass(slots=True)
class Contract:
    """Discord's description of its API. Validators are compiled once per operation."""

    document: Json
    _registry: Registry[Any] = field(init=False)
    _routes: list[tuple[re.Pattern[str], str, int]] = field(init=False)
    _validators: dict[tuple[str, str], Draft202012Validator | None] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        resource = Resource.from_contents(self.document, default_specification=DRAFT202012)
        self._registry = Registry().with_resource(_URI, resource)
        self._routes = [
            (re.compile(re.sub(r"\\\{[^/]+?\\\}", "[^/]+", re.escape(path))), path, path.count("{"))
            for path in self.document["paths"]
        ]

    @classmethod
    def load(cls, path: Path = SPEC) -> Contract:
        return cls(json.loads(path.read_text(encoding="utf-8")))

    def template(self, path: str) -> str | None:
        """The path template a path (below /api/v10, without its query) belongs to; the one with fewest
        parameters.
        """
        fitting = [(holes, template) for pattern, template, holes in self._routes if pattern.fullmatch(path)]
        return min(fitting)[1] if fitting else None

    def _validator(self, template: str, method: str) -> Draft202012Validator | None:
        key = (template, method)
        if key not in self._validators:
            content = self.document["paths"][template][method].get("requestBody", {}).get("content", {})
            where = _pointer(
                "paths", template, method, "requestBody", "content", "application/json", "schema"
            )
            self._validators[key] = (
                Draft202012Validator({"$ref": f"{_URI}#{where}"}, registry=self._registry)
                if "application/json" in content
                else None
            )
        return self._validators[key]

    def _query_names(self, template: str, method: str) -> set[str]:
        item = self.document["paths"][template]
        parameters = [*item.get("parameters", ()), *item[method].get("parameters", ())]
        return {parameter["name"] for parameter in parameters if parameter.get("in") == "query"}

    def problems(self, line: Json) -> list[str]:
        """What is wrong with one recorded request; empty when nothing is."""
        method = line["method"].lower()
        parts = urlsplit(line["path"])
        shown = f"{line['method']} {parts.path}"
        if not parts.path.startswith(PREFIX + "/"):
            return [f"{shown}: not below {PREFIX}"]
        template = self.template(parts.path.removeprefix(PREFIX))
        if template is None or method not in _METHODS or method not in self.document["paths"][template]:
            return [f"{shown}: no such route"]
        found = [
            f"{shown}: unknown query parameter {name}"
            for name, _ in parse_qsl(parts.query, keep_blank_values=True)
            if name not in self._query_names(template, method)
        ]
        body = line.get("json")
        operation = self.document["paths"][template][method]
        if body is None:
            if (
                operation.get("requestBody", {}).get("required")
                and not line.get("form")
                and not line.get("files")
            ):
                found.append(f"{shown}: no body, but one is required")
            return found
        validator = self._validator(template, method)
        if validator is None:
            return [*found, f"{shown}: a JSON body where none is known"]
        worst = best_match(validator.iter_errors(_numbered(body) if line.get("files") else body))
        return [*found, f"{shown}: {_told(worst)}"] if worst is not None else found


def _numbered(body: Json) -> Json:
    """The body with the numbers of its new files as texts: Discord takes both, its description only knows ids."""
    if "data" in body:
        return {**body, "data": _numbered(body["data"])}
    parts = [{**part, "id": str(part["id"])} for part in body.get("attachments") or ()]
    return {**body, "attachments": parts}


def _told(error: ValidationError) -> str:
    return f"at {error.json_path}: {error.message[:300]}"
