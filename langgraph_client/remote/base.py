"""What every part of RemoteGraph stands on: settings, clients, and how a config is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

from langgraph_client._async.client import LangGraphClient
from langgraph_client._sync.client import SyncLangGraphClient
from langgraph_client.errors import InvalidArgumentError
from langgraph_client.remote.clients import Clients
from langgraph_client.remote.config import Address, merge, with_ambient
from langgraph_client.remote.decode import Decoder
from langgraph_client.remote.nested import nested_address
from langgraph_client.remote.seam import GraphBase, Overwrite, ambient_config, tracing_headers
from langgraph_client.remote.threads import Threads
from langgraph_client.values import HEADER, VERSION, classes_in


class Connected(GraphBase[Any, Any, Any, Any]):
    """A name on a server."""

    def __init__(
        self,
        assistant_id: str,
        *,
        url: str | None = None,
        api_key: str | None = None,
        headers: Mapping[str, str] | None = None,
        client: LangGraphClient | None = None,
        sync_client: SyncLangGraphClient | None = None,
        config: Mapping[str, Any] | None = None,
        name: str | None = None,
        decode_messages: bool = True,
        checkpointer: bool | None = None,
        strict_config: bool = True,
        distributed_tracing: bool = False,
        allow_types: Iterable[type] = (),
    ) -> None:
        if not isinstance(assistant_id, str) or not assistant_id:
            raise InvalidArgumentError(
                "assistant_id", f"must be a graph's name or an assistant's id, not {assistant_id!r}"
            )
        self.assistant_id = assistant_id
        self.name = name or assistant_id
        self.config = config
        self.decode_messages = decode_messages
        self.checkpointer = checkpointer
        self.strict_config = strict_config
        self.distributed_tracing = distributed_tracing
        self.allow_types = tuple(allow_types)
        self._allowed = classes_in(*self.allow_types, Overwrite)
        self._warned: set[str] = set()
        self._clients = Clients(url, api_key, headers, client, sync_client)
        self._threads = Threads(assistant_id)

    # --- clients, made on first use ---

    @property
    def client(self) -> LangGraphClient:
        """The async client."""
        return self._clients.client

    @property
    def sync_client(self) -> SyncLangGraphClient:
        """The blocking client."""
        return self._clients.sync_client

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def close(self) -> None:
        """Close the blocking client, if this graph made it. It is made again when needed."""
        self._clients.close()

    async def aclose(self) -> None:
        """Close both clients, where this graph made them. They are made again when needed."""
        await self._clients.aclose()

    def with_config(self, config: Mapping[str, Any] | None = None, **kwargs: Any) -> Self:
        """Return a copy of this graph whose config is merged with this one."""
        return self.copy({"config": merge(self.config, config, kwargs)})

    def copy(self, update: Mapping[str, Any] | None = None) -> Self:
        """Return a copy that shares this graph's clients.

        Args:
            update: New values for `assistant_id`, `config`, `name`, `decode_messages`,
                `checkpointer`, `strict_config`, `distributed_tracing` or `allow_types`.
        """
        settings: dict[str, Any] = {
            "assistant_id": self.assistant_id,
            "config": self.config,
            "name": self.name,
            "decode_messages": self.decode_messages,
            "checkpointer": self.checkpointer,
            "strict_config": self.strict_config,
            "distributed_tracing": self.distributed_tracing,
            "allow_types": self.allow_types,
        }
        if unknown := (update or {}).keys() - settings.keys():
            raise InvalidArgumentError("update", f"has unknown keys: {sorted(unknown)}")
        copied = type(self)(**{**settings, **(update or {})})
        copied._clients = self._clients
        return copied

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.assistant_id!r})"

    def _headers(self, headers: Mapping[str, str] | None) -> Mapping[str, str]:
        """The headers of one call: the caller's, over those of the current trace."""
        tracing = tracing_headers() if self.distributed_tracing else {}
        return {HEADER: VERSION, **tracing, **(headers or {})}

    def _decoder(self, address: Address) -> Decoder:
        return Decoder(address, self.decode_messages, allowed=self._allowed)

    def _merged(self, config: Mapping[str, Any] | None) -> dict[str, Any]:
        return with_ambient(ambient_config(), merge(self.config, config))

    def _address(self, merged: Mapping[str, Any], *, calling: bool = False) -> Address:
        nested = nested_address(merged["configurable"], self.checkpointer, calling=calling)
        return nested or Address.of(merged)
