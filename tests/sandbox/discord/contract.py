"""Holds the sandbox's answers against Discord's own OpenAPI file."""

from __future__ import annotations

import functools
from typing import Any
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tests.e2e.openapi import PREFIX, SPEC, Contract

_URI = "urn:discord-openapi"
_DESCRIBED = (4, 7, 12)
"""The kinds of answers to an interaction whose resource the file describes."""


@functools.cache
def _contract() -> Contract:
    return Contract.load()


@functools.cache
def _registry() -> Registry[Any]:
    resource = Resource.from_contents(_contract().document, default_specification=DRAFT202012)
    return Registry().with_resource(_URI, resource)


@functools.cache
def _validator(template: str, method: str, status: str) -> Draft202012Validator | None:
    """None = the answer has no body. Raises KeyError for a status the operation does not give."""
    answer = _contract().document["paths"][template][method]["responses"][status]
    if "content" not in answer:
        return None
    steps = ("paths", template, method, "responses", status, "content", "application/json", "schema")
    pointer = "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)
    return Draft202012Validator({"$ref": f"{_URI}#{pointer}"}, registry=_registry())


def problem(line: dict[str, Any]) -> str | None:
    """What is wrong with the answer in a recorded line; None = nothing, or it is none of success.

    Errors are left out: the file calls the codes inside of 50035 numbers, and Discord sends words.
    """
    if line["status"] is None or line["status"] >= 400 or line["fault"] or not SPEC.exists():
        return None
    method, path = line["method"].lower(), urlsplit(line["path"]).path
    template = _contract().template(path.removeprefix(PREFIX))
    shown = f"{line['method']} {path} {line['status']}"
    if template is None:
        return f"{shown}: no such route"
    try:
        validator = _validator(template, method, str(line["status"]))
    except KeyError:
        return f"{shown}: no such answer"
    body = line["response"]
    if validator is None:
        return None if body is None else f"{shown}: a body where none is known"
    if "/callback" in path and body["resource"]["type"] not in _DESCRIBED:
        body = {key: value for key, value in body.items() if key != "resource"}
    worst = best_match(validator.iter_errors(body))
    return None if worst is None else f"{shown}: at {worst.json_path}: {worst.message[:300]}"
