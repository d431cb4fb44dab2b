"""Open the local page for any LangGraph server."""

from __future__ import annotations

import argparse
import asyncio
import secrets
import signal
import sys
import webbrowser
from collections.abc import Sequence
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING

from langgraph_client._core.settings import Settings, settings_from
from langgraph_client._core.unset import UNSET
from langgraph_client.errors import InvalidArgumentError

if TYPE_CHECKING:
    from langgraph_client.server.http.listener import Port


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    options = _parser().parse_args(arguments)
    try:
        from langgraph_client.server.http.listener import Port
    except ModuleNotFoundError as error:
        print(f'{error.name} is missing: pip install "langgraph-client[server]"', file=sys.stderr)
        return 1
    try:
        settings = settings_from(options.url, options.api_key or UNSET, None)
        port = Port("127.0.0.1", options.port)
    except (InvalidArgumentError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    asyncio.run(_serve(port, settings, opens=options.open))
    return 0


async def _serve(port: Port, settings: Settings, *, opens: bool) -> None:
    from langgraph_client.server.http.origins import Origins
    from langgraph_client.server.options import Cors
    from langgraph_client.ui.forward import Forward, http_client
    from langgraph_client.ui.pages import Pages

    loop, stop = asyncio.get_running_loop(), asyncio.Event()

    def handle(number: int, frame: FrameType | None) -> None:
        with suppress(RuntimeError):  # The loop has ended, and the process is about to.
            loop.call_soon_threadsafe(stop.set)

    token = secrets.token_urlsafe(24)
    async with http_client(settings) as client:
        forward = Forward(client, settings, token)
        app = Pages(forward)
        await port.serve(Origins(app, Cors(), check_origin=True, check_host=True), 60)
        # Only now: uvicorn has set handlers of its own, which do not end the streams first.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, handle)  # `loop.add_signal_handler` is not there on Windows.
        address = f"{port.url}/ui/#key={token}"
        print(f"{address}  for {settings.url}", flush=True)
        if opens:
            await asyncio.to_thread(webbrowser.open, address)  # It may wait for the page.
        await stop.wait()
        await forward.end_streams()
        await port.stop()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m langgraph_client.ui", description=__doc__, allow_abbrev=False
    )
    parser.add_argument(
        "--url", help="the server. Default: LANGGRAPH_URL, otherwise http://localhost:8123"
    )
    parser.add_argument(
        "--api-key", help="the server's key; or LANGGRAPH_API_KEY. The page never sees it"
    )
    parser.add_argument("--port", type=int, default=2025, help="0 for any free one")
    parser.add_argument("--open", action="store_true", help="open the page in the browser")
    return parser


if __name__ == "__main__":
    sys.exit(main())
