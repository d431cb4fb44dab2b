"""A deployment in the place of the bundled server, for `pytest --langgraph-url`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:
    from langgraph_client import LangGraphClient, RemoteGraph, SyncLangGraphClient

#: The features that only the bundled server has, with the reason why a deployment lacks them.
_ONLY_BUNDLED = {
    "faults": "faults are between the bundled server and its clients",
    "clock": "a deployment's time cannot be moved",
    "requests": "a deployment does not show its requests",
    "errors": "a deployment does not show what its graphs raised",
    "unexpected_errors": "a deployment does not show what its graphs raised",
    "expect_error": "a deployment does not show what its graphs raised",
    "expect_caught": "a deployment does not show what its graphs raised",
    "wait_idle": "the runs of a deployment are not known",
    "hold": "runs of a deployment cannot be held",
    "seed_thread": "a thread cannot be put into any state on a deployment",
    "dump": "a deployment cannot be dumped",
    "load": "a deployment cannot be loaded",
    "reset": "a deployment is not deleted",
    "transport": "a deployment is reached by a port",
    "async_transport": "a deployment is reached by a port",
    "listen": "a deployment is on its own port",
    "app": "a deployment is another process",
    "exchanges": "a deployment is another process",
    "loop": "a deployment is another process",
    "send_timeout": "a deployment has its own settings",
    "services": "a deployment is another process",
    "start": "a deployment is running already",
    "close": "a deployment is not stopped",
    "pull": "a thread is pulled into the bundled server",
}


class LiveServer:
    """Replaces `TestServer` in tests that run against a deployment.

    It creates clients. A test that uses a feature of the bundled server only is skipped, with the
    reason.

    Args:
        url: The deployment's URL; its key is read from the environment, as by clients.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    def client(self, **options: Any) -> LangGraphClient:
        """Return an async client of the deployment.

        Args:
            **options: The arguments of `get_client`.
        """
        from langgraph_client import get_client

        return get_client(url=self.url, **options)

    def sync_client(self, **options: Any) -> SyncLangGraphClient:
        """Return a blocking client of the deployment.

        Args:
            **options: The arguments of `get_sync_client`.
        """
        from langgraph_client import get_sync_client

        return get_sync_client(url=self.url, **options)

    def remote_graph(self, name: str, /, **options: Any) -> RemoteGraph:
        """Return a `RemoteGraph` of the deployment.

        Args:
            name: The graph or assistant.
            **options: Further arguments of `RemoteGraph`.
        """
        from langgraph_client import RemoteGraph

        return RemoteGraph(name, url=self.url, **options)

    def __getattr__(self, name: str) -> NoReturn:
        if name in _ONLY_BUNDLED:
            pytest.skip(f"--langgraph-url: {_ONLY_BUNDLED[name]}")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
