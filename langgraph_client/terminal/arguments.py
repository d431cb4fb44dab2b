"""The command's arguments."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from langgraph_client.thread_ids import server_thread_id

_Add: TypeAlias = Callable[..., argparse.ArgumentParser]
_THREAD = "the thread's ID, or the thread_id of a RemoteGraph's config"

EXIT_CODES = """exit status:
  0  done
  1  the server, the connection or the run failed; stderr has one line
  2  the arguments are wrong
  3  the run waits for an answer that was not given
  130  left by Ctrl-C; a run that was started is cancelled
"""


def make_parser() -> argparse.ArgumentParser:
    """Return the parser; `command` in its result names the command."""
    parser = argparse.ArgumentParser(
        prog="langgraph-client",
        description="Look at the threads of a LangGraph server, and run its graphs.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    _add_looking(commands.add_parser)
    _add_running(commands.add_parser)
    _add_pull(commands.add_parser)
    commands.add_parser("serve", help="serve the graphs of a langgraph.json", add_help=False)
    return parser


def _add_looking(add: _Add) -> None:
    threads = _with_server(add("threads", **_about("list threads, the latest change first")))
    threads.add_argument("--limit", type=_count, default=20, help="how many; 20 by default")
    threads.add_argument("--status", choices=["idle", "busy", "interrupted", "error"])
    threads.add_argument("--metadata", type=_object, help="JSON that their metadata contains")

    show = _with_server(add("show", **_about("show a thread: its state, questions and history")))
    show.add_argument("thread", type=_thread_id, help=_THREAD)
    show.add_argument("--checkpoint", help="show the state at this checkpoint")
    show.add_argument("--history", type=_count, default=10, help="how many checkpoints; 10")

    tail = _with_server(add("tail", **_about("follow what happens on a thread, until Ctrl-C")))
    tail.add_argument("thread", type=_thread_id, help=_THREAD)
    tail.add_argument("--after", metavar="EVENT", help="begin after this event; - for all kept")

    graph = _with_server(add("graph", **_about("draw a graph")))
    graph.add_argument("graph", help="the assistant's ID, or its graph's name")
    graph.add_argument("--xray", action="store_true", help="draw its subgraphs, too")


def _add_running(add: _Add) -> None:
    run = _with_server(add("run", **_about("run a graph, and answer its questions")))
    run.add_argument("graph", help="the assistant's ID, or its graph's name")
    run.add_argument(
        "--input",
        type=_input,
        help="the input, as JSON; @FILE reads it from a file, - from stdin",
    )
    run.add_argument("--thread", type=_thread_id, help=f"{_THREAD}; by default a new thread")
    run.add_argument("--checkpoint", help="go on from this checkpoint of the thread")
    run.add_argument("--resume", type=_json, help="answer the thread's question: JSON, or a text")
    run.add_argument("--config", type=_object, help="the run's config, as JSON")
    run.add_argument("--context", type=_object, help="the run's context, as JSON")

    cancel = _with_server(add("cancel", **_about("cancel the runs of a thread")))
    cancel.add_argument("thread", type=_thread_id, help=_THREAD)
    cancel.add_argument("run", nargs="?", help="only this run")
    cancel.add_argument("--rollback", action="store_true", help="also undo what they did")


def _add_pull(add: _Add) -> None:
    pull = add("pull", **_about("copy a thread of any server into a file"))
    pull.add_argument("url", help="the server that has it")
    pull.add_argument("thread", type=_thread_id, help=_THREAD)
    pull.add_argument("--db", required=True, help="the SQLite file of the bundled server")
    pull.add_argument("--config", default="langgraph.json", help="the file that names the graphs")
    pull.add_argument(
        "--store",
        action="append",
        default=[],
        metavar="NAMESPACE",
        help="also the store's items in and below this namespace, such as users.ann; repeatable",
    )
    _add_common(pull)


def _about(purpose: str) -> dict[str, Any]:
    return {"help": purpose, "description": f"{purpose.capitalize()}.", "allow_abbrev": False}


def _with_server(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("--url", help="the server; by default LANGGRAPH_URL or localhost:2024")
    _add_common(parser)
    return parser


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--api-key", help="by default LANGGRAPH_API_KEY, as for the client")
    parser.add_argument("--json", action="store_true", help="write JSON, one value a line")


def _thread_id(text: str) -> str:
    """Return the server's id of a thread.

    Raises:
        ArgumentTypeError: The text is empty, as for a variable of the shell that is not set.
    """
    if not text:
        raise argparse.ArgumentTypeError("the ID of the thread is empty")
    return server_thread_id(text)


def _json(text: str) -> object:
    try:
        value: object = json.loads(text)
    except ValueError:
        return text
    return value


def _input(text: str) -> object:
    """Read an input. If it looks like JSON, it must be valid, and is never taken as plain text."""
    if text.startswith("@"):
        try:
            text = Path(text[1:]).read_text(encoding="utf-8")
            return json.loads(text)
        except OSError as error:
            raise argparse.ArgumentTypeError(f"{error.filename}: {error.strerror}") from None
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"the file is not JSON: {error}") from None
    if text.lstrip()[:1] in ("{", "[", '"'):
        try:
            return json.loads(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"no JSON: {error}") from None
    return _json(text)


def _object(text: str) -> dict[str, Any]:
    value = _json(text)
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError(f"{text!r} is not a JSON object")
    return value


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{number} is less than 0")
    return number
