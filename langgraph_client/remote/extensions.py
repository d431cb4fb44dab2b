"""Channels of a run stream that are filled by the transformers of the graph on the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from langgraph_client.remote.aliases import Foreign, JsonObject
from langgraph_client.remote.compat import add_event, event_streaming, new_channel
from langgraph_client.values import EXTENSIONS_EVENT

if TYPE_CHECKING:
    from langgraph_client.remote.compat import StreamMux


class ServerChannels(dict[str, Foreign]):
    """The projections of a run stream. A channel of the server is added when it is looked up.

    The server's channels are known only after the run has begun. So a channel that does not exist
    raises `KeyError` when it is iterated, not when it is looked up. As in a local graph, a channel
    does not keep items that were pushed before the first iteration. A key that a projection of this
    process has is not the server's: its items are skipped.

    Args:
        mux: The multiplexer of the run stream, with the projections of this process.
    """

    def __init__(self, mux: StreamMux) -> None:
        super().__init__(mux.extensions)
        self._mux = mux
        self._added: set[str] = set()
        self._known: list[str] | None = None

    def __missing__(self, key: str) -> Foreign:
        self._check(key)
        channel = self[key] = new_channel(self._mux, key)
        self._added.add(key)
        return channel

    def _check(self, key: str) -> None:
        if self._known is not None and key not in self._known:
            raise KeyError(
                f"{key}: neither this run stream nor the graph on the server has such a projection"
            )

    def handle(self, event: JsonObject) -> None:
        """Handle an event of the server: the list of its channels, or an item for one."""
        if "channels" in event:
            self.set_known(event["channels"])
            return
        key, name, item = event["key"], event["name"], event["item"]
        if key in self and key not in self._added:
            return
        if key in self._added:
            self[key].push(item)
        if name is not None:  # Items of a named channel are also events of the run stream.
            add_event(self._mux, f"custom:{name}", item)

    def set_known(self, keys: list[str]) -> None:
        """Note the server's channels. Channels that it does not have end with an error."""
        self._known = keys
        for key in self._added:
            try:
                self._check(key)
            except KeyError as error:
                self[key].fail(error)

    def end(self) -> None:
        """Note that the run is over. A server that sent no list of channels has none."""
        if self._known is None:
            self.set_known([])


def server_channels() -> Foreign:
    """Return the transformer that fills a run stream's channels of the server."""

    class Transformer(event_streaming().transformer):  # type: ignore[misc]
        def init(self) -> JsonObject:
            return {}

        def _on_register(self, mux: StreamMux) -> None:
            mux.extensions = self._channels = ServerChannels(mux)

        def process(self, event: Foreign) -> bool:
            if event["method"] != EXTENSIONS_EVENT:
                return True
            self._channels.handle(event["params"]["data"])
            return False

        def finalize(self) -> None:
            self._channels.end()

    return Transformer()
