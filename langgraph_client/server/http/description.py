"""The OpenAPI document of a server, including the endpoints of the user's application."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import cached_property

from starlette.responses import HTMLResponse, Response

from langgraph_client.models.fields import JsonMapping, JsonObject
from langgraph_client.server.http.endpoint import Endpoint, ValidRequest
from langgraph_client.server.http.openapi import document, page
from langgraph_client.server.http.replies import reply
from langgraph_client.server.http.routes import system


class Description:
    """The OpenAPI document of a server, and the page that shows it.

    Args:
        endpoints: The server's endpoints.
        more: Returns another OpenAPI document. Its paths and components are added, unless the
            server has the same.
        security: The security schemes that replace the API key.
    """

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        more: Callable[[], JsonMapping],
        security: JsonMapping,
    ) -> None:
        self._endpoints = endpoints
        self._more = more
        self._security = security

    def handled(self, endpoint: Endpoint) -> Endpoint:
        """Return an endpoint; for `/openapi.json` and `/docs`, one with this document."""
        handlers = {"/openapi.json": self._openapi, "/docs": self._docs}
        handler = handlers.get(endpoint.path)
        return endpoint if handler is None else dataclasses.replace(endpoint, handler=handler)

    @cached_property
    def _document(self) -> dict[str, object]:
        shown, more = document(self._endpoints, system.version()), self._more()
        shown["paths"] = {**more.get("paths", {}), **shown["paths"]}
        for kind, parts in more.get("components", {}).items():
            shown["components"][kind] = {**parts, **shown["components"].get(kind, {})}
        if self._security:
            self._secure(shown)
        return shown

    def _secure(self, shown: JsonObject) -> None:
        shown["components"]["securitySchemes"] = self._security.get("securitySchemes", {})
        shown["security"] = self._security.get("security", [])
        for path, methods in self._security.get("paths", {}).items():
            for method, security in methods.items():
                if (operation := shown["paths"].get(path, {}).get(method.lower())) is not None:
                    operation["security"] = security

    async def _openapi(self, request: ValidRequest) -> Response:
        return reply(self._document)

    async def _docs(self, request: ValidRequest) -> Response:
        return HTMLResponse(page(self._document))
