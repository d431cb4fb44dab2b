"""The command `langgraph-client`, also `python -m langgraph_client.terminal`."""

from __future__ import annotations

import io
import os
import runpy
import sys
from argparse import Namespace
from collections.abc import Sequence

from langgraph_client.terminal.arguments import make_parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    command_line = sys.argv[1:] if arguments is None else list(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A character that its encoding does not have must not end the command.
        sys.stdout.reconfigure(errors="backslashreplace")
    if command_line[:1] == ["serve"]:
        return _serve(command_line[1:])
    options = make_parser().parse_args(command_line)
    # Imported only now, so that `--help` and errors in the arguments are fast.
    import httpx

    from langgraph_client.errors import LangGraphError
    from langgraph_client.terminal.commands import CommandFailedError, UsageError
    from langgraph_client.terminal.text import one_line

    try:
        return _perform(options)
    except (LangGraphError, CommandFailedError, httpx.InvalidURL, OSError) as error:
        if isinstance(error, BrokenPipeError):
            # The reader of the output has ended, such as `head`. Python would report it at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
        print(one_line(error), file=sys.stderr)
        return 1
    except UsageError as error:
        print(one_line(error), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _perform(options: Namespace) -> int:
    from langgraph_client import get_sync_client
    from langgraph_client.terminal.commands import COMMANDS
    from langgraph_client.terminal.output import make_output

    url = options.url or os.environ.get("LANGGRAPH_URL") or "http://localhost:2024"
    key = {} if options.api_key is None else {"api_key": options.api_key}
    with get_sync_client(url=url, **key) as client:
        return COMMANDS[options.command](client, options, make_output(as_json=options.json))


def _serve(arguments: list[str]) -> int:
    """Be the server's own command, with its handling of signals and of its end."""
    sys.argv = ["langgraph-client serve", *arguments]
    runpy.run_module("langgraph_client.server", run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main())
