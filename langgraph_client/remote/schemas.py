"""Create pydantic models from the server's JSON schemas, as a local graph returns them."""

from __future__ import annotations

import copy
import threading
import warnings
from collections.abc import Mapping
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field, RootModel, create_model

from langgraph_client.remote.aliases import JSON, JsonObject, Reply

_TYPES: JsonObject = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": bool,
    "array": list[JSON],
    "object": JsonObject,
    "null": None,
}


class _ServerSchema:
    """A model whose schema comes from the server."""

    __server_schema__: ClassVar[JsonObject] = {}

    @classmethod
    def model_json_schema(cls, *_: object, **__: object) -> JsonObject:
        """Return the server's schema. All arguments are ignored."""
        return copy.deepcopy(cls.__server_schema__)


class _Object(_ServerSchema, BaseModel):
    # Without warnings or errors for keys such as "model_name" and "model_validate".
    model_config = ConfigDict(extra="allow", protected_namespaces=())


class _Value(_ServerSchema, RootModel[JSON]):
    pass


_FILTERS = threading.Lock()


def model_from(name: str, schema: Reply) -> type[BaseModel]:
    """Return a model whose JSON schema is `schema`.

    Its fields are the schema's properties. Only their `type` is checked here; the server checks
    nested values. If the schema is not one of an object, the result is a `RootModel`.
    """
    described = _resolved(schema)
    properties = described.get("properties")
    made: JSON
    if isinstance(properties, Mapping):
        required = described.get("required") or ()
        fields = {
            f"field_{number}" if _needs_alias(key) else key: _field(
                key, property_schema, key in required
            )
            for number, (key, property_schema) in enumerate(properties.items())
        }
        made = _model_of(name, fields)
    else:
        made = create_model(name, __base__=_Value)
    made.__server_schema__ = dict(schema)
    return made  # type: ignore[no-any-return]  # create_model's own overloads lose the class.


def _model_of(name: str, fields: JSON) -> JSON:
    if not any(hasattr(_Object, key) for key in fields):
        return create_model(name, __base__=_Object, **fields)
    # A key such as "copy" or "json". Nobody calls these methods of such a model. The filters of
    # warnings belong to the whole process, so they are changed in this rare case only.
    with _FILTERS, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Field name .* shadows an attribute", UserWarning)
        return create_model(name, __base__=_Object, **fields)


def _resolved(schema: Reply) -> Reply:
    """Return the definition that a schema refers to; the schema itself if it is no reference."""
    name = str(schema.get("$ref", "")).removeprefix("#/$defs/")
    found = (schema.get("$defs") or {}).get(name)
    return found if isinstance(found, Mapping) else schema


def _needs_alias(key: str) -> bool:
    """Return whether pydantic refuses a key as the name of a field."""
    return key.startswith("_") or key == "model_config"


def _field(key: str, schema: Reply, required: bool) -> JSON:
    return (
        _TYPES.get(str(schema.get("type")), JSON),
        Field(
            ... if required else schema.get("default"),
            alias=key if _needs_alias(key) else None,
            description=schema.get("description"),
        ),
    )
