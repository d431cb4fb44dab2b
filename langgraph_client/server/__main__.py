"""Serve the graphs of a `langgraph.json` on a port."""

from __future__ import annotations

import argparse
import ipaddress
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from langgraph_client.server.cli.config import ConfigError, load_graphs, read_config
from langgraph_client.server.cli.reload import serve_again
from langgraph_client.server.server import Server


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    options = _parser().parse_args(given)
    key = options.api_key or os.environ.get("LANGGRAPH_SERVER_API_KEY")
    if not key and not _is_loopback(options.host):
        print(
            f"{options.host} can be reached from other machines: give --api-key, "
            "or listen on 127.0.0.1",
            file=sys.stderr,
        )
        return 2
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        if options.reload:
            return serve_again(given, Path(options.config), options.host, options.port, stop)
        config = read_config(Path(options.config))
        graphs = load_graphs(config)
        server = Server(
            graphs,
            path=options.db,
            show_errors=options.show_errors,
            api_key=key,
            cors=options.cors.split(",") if options.cors else (),
            local_webhooks=config.local_webhooks,
        )
        with server:
            url = server.listen(options.host, options.port)
            print(f"{url}  serving {', '.join(graphs)}", flush=True)
            while not stop.wait(3600):
                pass
    except (ConfigError, OSError, TypeError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m langgraph_client.server", description=__doc__, allow_abbrev=False
    )
    parser.add_argument("config", nargs="?", default="langgraph.json")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=2024, help="0 for any free one")
    parser.add_argument("--db", help="SQLite file that keeps everything; in memory by default")
    parser.add_argument(
        "--api-key", help="what requests must carry as x-api-key; or LANGGRAPH_SERVER_API_KEY"
    )
    parser.add_argument("--cors", default="*", help="origins, separated by commas; '' for none")
    parser.add_argument(
        "--show-errors", action="store_true", help="tell callers the text of every exception"
    )
    parser.add_argument(
        "--reload",
        action="store_true",
        help="start anew when the config or a Python file beside it changes; what is in memory"
        " is lost, what is in --db is not",
    )
    return parser


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


if __name__ == "__main__":
    sys.exit(main())
