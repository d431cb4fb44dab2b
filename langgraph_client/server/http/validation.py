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


class Wrong(NamedTuple):
    """The first error in a body."""

    what: str
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
    wrong = next(_mistakes(body, schema, definitions, (), ()), None)
    if wrong is not None:
        raise Invalid(told(wrong))
    return body


def told(wrong: Wrong) -> str:
    """Return the text for an error."""
    return (
        f"{wrong.what}\n\nFailed validating {_json(wrong.keyword)}"
        f" in schema{_path(wrong.schema_path)}\n\n"
        f"On instance{_path(wrong.place)}:\n    {_json(wrong.value)}"
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


def _mistakes(
    value: object, schema: Schema, known: Mapping[str, Schema], path: Path, place: Path
) -> Iterator[Wrong]:
    if "$ref" in schema:
        name = schema["$ref"]
        yield from _mistakes(value, known[name], known, ("components", "schemas", name), place)
        return
    for keyword, wanted in schema.items():
        check = _KEYWORDS.get(keyword)
        if check is not None:
            what = check(value, wanted)
            if what:
                yield Wrong(what, keyword, path, place, value)
    for number, part in enumerate(schema.get("allOf", ())):
        yield from _mistakes(value, part, known, (*path, "allOf", number), place)
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            fitting = sum(
                next(_mistakes(value, part, known, (), ()), None) is None
                for part in schema[keyword]
            )
            if fitting == 0:
                what = f"is not valid under any of the schemas listed in the '{keyword}' keyword"
                yield Wrong(f"{_json(value)} {what}", keyword, path, place, value)
            elif fitting > 1 and keyword == "oneOf":
                what = "is valid under more than one of the schemas listed in the 'oneOf' keyword"
                yield Wrong(f"{_json(value)} {what}", keyword, path, place, value)
    if isinstance(value, dict):
        for name, part in schema.get("properties", {}).items():
            if name in value:
                below = (*path, "properties", name)
                yield from _mistakes(value[name], part, known, below, (*place, name))
        if isinstance(rest := schema.get("additionalProperties"), dict):
            for name in value.keys() - schema.get("properties", {}).keys():
                below = (*path, "additionalProperties")
                yield from _mistakes(value[name], rest, known, below, (*place, name))
    if isinstance(value, list) and "items" in schema:
        for number, item in enumerate(value):
            below = (*path, "items")
            yield from _mistakes(item, schema["items"], known, below, (*place, number))


def _type(value: object, wanted: str | list[str]) -> str | None:
    kinds = [wanted] if isinstance(wanted, str) else wanted
    if any(_is(value, kind) for kind in kinds):
        return None
    names = ", ".join(_json(kind) for kind in kinds)
    return f"{_json(value)} is not of type{'s' if len(kinds) > 1 else ''} {names}"


def _enum(value: object, wanted: list[object]) -> str | None:
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
