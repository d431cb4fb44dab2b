"""Check request bodies against JSON schemas, with the error texts of the real server.

It supports the part of JSON schema that this server's schemas use. No library is used, because the
texts must be those of the real server's validator, word by word. `format` is not checked: the
endpoints' functions check ids.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from langgraph_client.models.fields import JsonMapping, JsonObject
from langgraph_client.server.errors import Invalid

Schema: TypeAlias = JsonMapping


class SchemaError(NamedTuple):
    """The first error in a body."""

    text: str
    keyword: str
    schema_path: tuple[str | int, ...]
    place: tuple[str | int, ...]
    value: object


def validate(body: object, schema: Schema, definitions: Mapping[str, Schema]) -> object:
    """Return a body after checking it.

    Args:
        body: The decoded JSON.
        schema: The schema.
        definitions: The schemas for `{"$ref": name}`.

    Raises:
        Invalid: The body does not match. The text describes the first error, as the real server's.
    """
    error = next(_errors(body, schema, definitions, (), ()), None)
    if error is not None:
        raise Invalid(error_text(error))
    return body


def error_text(error: SchemaError) -> str:
    """Return the text for an error."""
    return (
        f"{error.text}\n\nFailed validating {_json(error.keyword)}"
        f" in schema{_path(error.schema_path)}\n\n"
        f"On instance{_path(error.place)}:\n    {_json(error.value)}"
    )


def _path(names: Sequence[str | int]) -> str:
    return "".join(f"[{_json(name)}]" for name in names)


_MAX_TEXT = 10_000
"""The most characters of a value in the text of an error."""
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _json(value: object) -> str:
    text = ""
    for part in _ENCODER.iterencode(value):  # Part by part: a value may have millions of them.
        text += part
        if len(text) > _MAX_TEXT:
            return f"{text[:_MAX_TEXT]}…"
    return text


_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def _is(value: object, kind: str) -> bool:
    if kind == "integer":
        whole = isinstance(value, float) and value.is_integer()
        return whole or (isinstance(value, int) and not isinstance(value, bool))
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, _TYPES[kind])


Path = tuple[str | int, ...]


def _errors(
    value: object, schema: Schema, known: Mapping[str, Schema], path: Path, place: Path
) -> Iterator[SchemaError]:
    """Yield the errors of a value, in the order in which the real server finds them.

    Args:
        value: The value.
        schema: Its schema.
        known: The schemas for `{"$ref": name}`.
        path: The path of the schema, for the text.
        place: The path of the value in the body, for the text.
    """
    if "$ref" in schema:
        name = schema["$ref"]
        yield from _errors(value, known[name], known, ("components", "schemas", name), place)
        return
    yield from _own_errors(value, schema, path, place)
    yield from _combination_errors(value, schema, known, path, place)
    yield from _child_errors(value, schema, known, path, place)


def _own_errors(value: object, schema: Schema, path: Path, place: Path) -> Iterator[SchemaError]:
    for keyword, argument in schema.items():
        check = _KEYWORDS.get(keyword)
        if check is not None and (text := check(value, argument)):
            yield SchemaError(text, keyword, path, place, value)


def _combination_errors(
    value: object, schema: Schema, known: Mapping[str, Schema], path: Path, place: Path
) -> Iterator[SchemaError]:
    for number, part in enumerate(schema.get("allOf", ())):
        yield from _errors(value, part, known, (*path, "allOf", number), place)
    for keyword in ("anyOf", "oneOf"):
        if keyword not in schema:
            continue
        matches = sum(
            next(_errors(value, part, known, (), ()), None) is None for part in schema[keyword]
        )
        if matches == 0:
            text = f"is not valid under any of the schemas listed in the '{keyword}' keyword"
        elif matches > 1 and keyword == "oneOf":
            text = "is valid under more than one of the schemas listed in the 'oneOf' keyword"
        else:
            continue
        yield SchemaError(f"{_json(value)} {text}", keyword, path, place, value)


def _child_errors(
    value: object, schema: Schema, known: Mapping[str, Schema], path: Path, place: Path
) -> Iterator[SchemaError]:
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        for name, part in properties.items():
            if name in value:
                below = (*path, "properties", name)
                yield from _errors(value[name], part, known, below, (*place, name))
        if isinstance(rest := schema.get("additionalProperties"), dict):
            below = (*path, "additionalProperties")
            for name in value.keys() - properties.keys():
                yield from _errors(value[name], rest, known, below, (*place, name))
    if isinstance(value, list) and "items" in schema:
        for number, item in enumerate(value):
            yield from _errors(item, schema["items"], known, (*path, "items"), (*place, number))


def _type(value: object, wanted: str | list[str]) -> str | None:
    kinds = [wanted] if isinstance(wanted, str) else wanted
    if any(_is(value, kind) for kind in kinds):
        return None
    names = ", ".join(_json(kind) for kind in kinds)
    return f"{_json(value)} is not of type{'s' if len(kinds) > 1 else ''} {names}"


def _enum(value: object, wanted: list[object]) -> str | None:
    # Only texts are allowed values here; and 1 == True would match a boolean.
    if value in wanted and isinstance(value, str):
        return None
    names = [_json(item) for item in wanted]
    if len(names) > 3:
        listed = f"{names[0]}, {names[1]} or {len(names) - 2} other candidates"
    else:
        *first, last = names
        listed = f"{', '.join(first)} or {last}" if first else last
    return f"{_json(value)} is not one of {listed}"


def _required(value: object, wanted: list[str]) -> str | None:
    if not isinstance(value, dict):
        return None
    missing = next((name for name in wanted if name not in value), None)
    return None if missing is None else f"{_json(missing)} is a required property"


def _items(count: int) -> str:
    return f"{count} item" if count == 1 else f"{count} items"


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_KEYWORDS: JsonObject = {
    "type": _type,
    "enum": _enum,
    "required": _required,
    "minimum": lambda value, least: (
        f"{_json(value)} is less than the minimum of {_json(least)}"
        if _number(value) and value < least
        else None
    ),
    "maximum": lambda value, most: (
        f"{_json(value)} is greater than the maximum of {_json(most)}"
        if _number(value) and value > most
        else None
    ),
    "minLength": lambda value, least: (
        f"{_json(value)} is shorter than {least} character{'' if least == 1 else 's'}"
        if isinstance(value, str) and len(value) < least
        else None
    ),
    "minItems": lambda value, least: (
        f"{_json(value)} has less than {_items(least)}"
        if isinstance(value, list) and len(value) < least
        else None
    ),
    "maxItems": lambda value, most: (
        f"{_json(value)} has more than {_items(most)}"
        if isinstance(value, list) and len(value) > most
        else None
    ),
    "maxProperties": lambda value, most: (
        f"{_json(value)} has more than {most} properties"
        if isinstance(value, dict) and len(value) > most
        else None
    ),
}
