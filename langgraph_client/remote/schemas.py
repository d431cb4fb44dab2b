"""A JSON schema of the server's, as the pydantic model that callers of a local graph expect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, RootModel, create_model

_TYPES: dict[str, Any] = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": bool,
    "array": list[Any],
    "object": dict[str, Any],
    "null": None,
}


def model_from(name: str, schema: Mapping[str, Any]) -> type[BaseModel]:
    """A model whose JSON schema is `schema`.

    Its fields are those of the schema's properties, checked as far as `type` says; what lies
    deeper is for the server to check. A schema of no object gives a `RootModel`.
    """

    def as_sent(made: dict[str, Any]) -> None:
        made.clear()
        made.update(schema)

    config = ConfigDict(json_schema_extra=as_sent, extra="allow", arbitrary_types_allowed=True)
    properties = schema.get("properties")
    if not isinstance(properties, Mapping):
        # `RootModel` takes no `extra`.
        return create_model(
            name, __base__=RootModel[Any], __cls_kwargs__={"json_schema_extra": as_sent}
        )
    required = schema.get("required") or ()
    fields: dict[str, Any] = {
        # By alias: a model has no fields whose names begin with an underscore.
        f"field_{number}" if key.startswith("_") else key: (
            _TYPES.get(str(described.get("type")), Any),
            Field(
                ... if key in required else described.get("default"),
                alias=key if key.startswith("_") else None,
                description=described.get("description"),
            ),
        )
        for number, (key, described) in enumerate(properties.items())
    }
    return create_model(name, __config__=config, **fields)
