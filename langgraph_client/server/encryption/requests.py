"""The encryption context of a request."""

from __future__ import annotations

from starlette.authentication import UnauthenticatedUser
from starlette.requests import HTTPConnection

from langgraph_client.server.encryption.cipher import header_context
from langgraph_client.server.encryption.storage import EncryptedStorage
from langgraph_client.server.request_context import encryption_context

HEADER = "x-encryption-context"


class RequestContexts:
    """Sets the context of each request, after its user is authenticated.

    Args:
        storage: Has the handlers, and the contexts of runs.
    """

    def __init__(self, storage: EncryptedStorage) -> None:
        self._storage = storage

    async def enter(self, connection: HTTPConnection, parent: str = "") -> None:
        """Set the context of a request for its task.

        Args:
            connection: The request. Without a header of its own, it gets the context of `parent`.
            parent: The id of the run that sends it; empty for a client.

        Raises:
            Invalid: The header is malformed.
            Unavailable: The application's handler failed, and data must not be encrypted with a
                context that lacks its values.
        """
        header = connection.headers.get(HEADER)
        if parent and not header:
            encryption_context.set(await self._storage.context_of_run(parent))
            return
        user: object = connection.scope.get("user") or UnauthenticatedUser()
        encryption_context.set(await self._storage.cipher.context_of(user, header_context(header)))
