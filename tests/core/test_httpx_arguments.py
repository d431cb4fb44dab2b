"""Objects of httpx that do not fit the client: refused at once, not after a request was sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from langgraph_client import (
    LangGraphClient,
    SyncLangGraphClient,
    get_client,
    get_sync_client,
)
from langgraph_client.errors import InvalidArgumentError

URL = "http://server.example"


@pytest.mark.parametrize("make", [get_client, get_sync_client])
@pytest.mark.parametrize("parameter", ["transport", "http_client", "limits", "proxy"])
def test_what_is_not_of_httpx_is_refused(make: Callable[..., Any], parameter: str) -> None:
    """The error names the parameter and the class that is expected."""
    with pytest.raises(InvalidArgumentError, match=rf"^{parameter}: must be an httpx\..*, not 5"):
        make(url=URL, **{parameter: 5})


async def test_the_other_colour_is_refused() -> None:
    """The server would do the request, and nobody could read the response."""
    async with httpx.AsyncClient(base_url=URL) as other:
        with httpx.Client(base_url=URL) as blocking:
            for make, client, right in (
                (get_client, blocking, "AsyncClient"),
                (get_sync_client, other, "Client"),
            ):
                with pytest.raises(InvalidArgumentError, match=rf"must be an httpx\.{right},"):
                    make(url=URL, http_client=client)  # type: ignore[operator]
            for kind, client in ((LangGraphClient, blocking), (SyncLangGraphClient, other)):
                with pytest.raises(InvalidArgumentError, match=r"must be an httpx\."):
                    kind(client)  # type: ignore[operator]
    for make, transport in (
        (get_client, httpx.HTTPTransport()),
        (get_sync_client, httpx.AsyncHTTPTransport()),
    ):
        with pytest.raises(InvalidArgumentError, match=r"^transport: must be an httpx\."):
            make(url=URL, transport=transport)  # type: ignore[operator]


def test_an_error_does_not_show_the_password_of_a_proxy() -> None:
    """A dict of proxies is the form of httpx before 0.26."""
    with pytest.raises(InvalidArgumentError, match="not a dict") as caught:
        get_client(url=URL, proxy={"http://": "http://user:secret@proxy"})  # type: ignore[arg-type]
    assert "secret" not in str(caught.value)
