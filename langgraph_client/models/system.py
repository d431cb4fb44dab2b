"""The reply of `GET /info`."""

from __future__ import annotations

from langgraph_client.models.fields import JsonObject, empty
from langgraph_client.models.record import Record

__all__ = ["ServerInfo"]


class ServerInfo(Record):
    """The server's version and features."""

    version: str | None = None
    langgraph_py_version: str | None = None
    flags: JsonObject = empty(dict)
    host: JsonObject | None = None
