"""The server itself."""

from __future__ import annotations

from pydantic import Field

from langgraph_client.models._base import JsonObject, Model


class ServerInfo(Model, frozen=True):
    """What the server says about itself."""

    version: str | None = None
    langgraph_py_version: str | None = None
    flags: JsonObject = Field(default_factory=dict)
    host: JsonObject | None = None
