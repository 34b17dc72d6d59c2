"""JSON schemas as small and as portable as they can be: every one is paid for by every user."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel

from airflow_mcp.release import MARK

Schema = dict[str, Any]

IMPLIED = (("minimum", 0), ("minimum", 1), ("default", 0), ("default", False), ("format", "date-time"))
"""What a model does, or takes for granted, without being told; what is wrong is refused all the same."""


def input_schema(model: type[BaseModel]) -> Schema:
    """The schema of a tool's arguments: flat; what may be null is just not required.

    It does not say that it is closed, which some clients cannot convert: what it does not name is refused anyway.
    """
    schema = _small(model.model_json_schema(mode="validation"))
    schema.pop("additionalProperties", None)
    return schema


def output_schema(model: type[BaseModel]) -> Schema:
    """The schema of a tool's answer as it is sent: what is None is absent, so it has no default."""
    schema = _small(model.model_json_schema(mode="serialization"), of_answer=True)
    schema["properties"]["cut"] = {"type": "string", "description": "what is shorter than in Airflow"}
    return schema


def _small(schema: Schema, *, of_answer: bool = False) -> Schema:
    definitions = schema.pop("$defs", {})
    for model in (schema, *definitions.values()):
        model.pop("description", None)  # a class's docstring is for its reader, not for a model
    small: Schema = _shrink(schema, definitions, of_answer=of_answer)
    return small


def _shrink(node: Any, definitions: Schema, *, of_answer: bool) -> Any:
    """Inline references, collapse "or null", and drop titles and empty defaults."""

    def again(part: Any) -> Any:
        return _shrink(part, definitions, of_answer=of_answer)

    if isinstance(node, list):
        return [again(part) for part in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        definition = definitions[node["$ref"].removeprefix("#/$defs/")]
        return again({**definition, **{key: value for key, value in node.items() if key != "$ref"}})
    if "anyOf" in node:
        options = [option for option in node["anyOf"] if option != {"type": "null"}]
        if len(options) == 1:
            return again({**options[0], **{key: value for key, value in node.items() if key != "anyOf"}})
    small: Schema = {
        key: {name: again(part) for name, part in value.items()} if key == "properties" else again(value)
        for key, value in node.items()
        if key != "title" and not (key == "default" and (value is None or of_answer)) and (key, value) not in IMPLIED
    }
    if MARK in small:
        small["description"] = _described(small.pop(MARK), small.get("description", ""))
    if of_answer and "properties" in node:
        small["additionalProperties"] = False
    if of_answer and "required" in node:
        optional = {name for name, part in node["properties"].items() if "default" in part}
        small["required"] = [name for name in node["required"] if name not in optional]
    return small


def _described(marks: Iterable[tuple[str, Any]], description: str) -> str:
    """A field's description with what it, and some of its values, need."""
    parts = [description] if description else []
    values: dict[str, list[str]] = {}
    for needs, value in marks:
        if value is None:
            parts = [": ".join([needs, *parts])]
        else:
            values.setdefault(needs, []).append(str(value))
    return "; ".join([*parts, *(f"{', '.join(those)}: {needs}" for needs, those in values.items())])
