# Generated from langgraph_client/_async/link.py by .ci/unasync.py; do not edit.
"""The connection that a stream is read from, and who looks after silent ones."""

from __future__ import annotations

import select
import socket
import threading
from contextlib import suppress
from time import monotonic
from typing import Any

import httpx


class Link:
    """The response that is being read.

    Attributes:
        waiting_since: When the reader began to wait for more; None while it is not waiting.
        silent: The connection was given up, since nothing came for too long.
    """

    def __init__(self) -> None:
        self.response: httpx.Response | None = None
        self.waiting_since: float | None = None
        self.silent = False

    def hang_up(self) -> bool:
        """Wake whoever waits for more: closing a socket does not wake a thread that reads it.

        Returns:
            Whether there was a socket.
        """
        connection = self._socket()
        if connection is not None:
            with suppress(OSError):  # It is gone already.
                connection.shutdown(socket.SHUT_RDWR)
        return connection is not None

    def has_more(self) -> bool:
        """Whether something has come that was not read yet."""
        connection = self._socket()
        if connection is None:
            return False
        try:
            return bool(select.select([connection], [], [], 0)[0])
        except (OSError, ValueError):  # It is gone, or beyond what select can watch.
            return False

    def _socket(self) -> Any:
        """The socket; None where there is none, as in process."""
        response = self.response
        if response is None or response.is_closed:
            return None
        network = response.extensions.get("network_stream")
        return None if network is None else network.get_extra_info("socket")

    def close(self) -> None:
        response, self.response = self.response, None
        if response is not None:
            response.close()


class Watch:
    """Hangs up connections that have been silent for too long.

    The HTTP layer takes one timeout for all of a body. Where it turns out only while the body is
    read how often the server says that it is alive, somebody else has to watch: a thread, as long
    as there are such connections.
    """

    def __init__(self) -> None:
        self._due: dict[Link, tuple[float, float]] = {}  # When to look again; the patience.
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def expect(self, link: Link, patience: float) -> None:
        """Hang up when nothing comes for so many seconds while somebody waits for it."""
        with self._changed:
            self._due[link] = (monotonic() + patience, patience)
            if self._thread is None or not self._thread.is_alive():  # It is not, after a fork.
                self._thread = threading.Thread(
                    target=self._run, name="langgraph-client-watch", daemon=True
                )
                self._thread.start()
            self._changed.notify()

    def forget(self, link: Link) -> None:
        """The connection is not read any more."""
        if link in self._due:
            with self._changed:
                self._due.pop(link, None)
                self._changed.notify()

    def _run(self) -> None:
        with self._changed:
            while self._due:
                now = monotonic()
                for link, (due, patience) in list(self._due.items()):
                    if due <= now:
                        self._look(link, patience, now)
                if self._due:
                    self._changed.wait(min(due for due, _ in self._due.values()) - monotonic())
            self._thread = None

    def _look(self, link: Link, patience: float, now: float) -> None:
        since = now if link.waiting_since is None else link.waiting_since
        if now - since < patience:
            self._due[link] = (since + patience, patience)
        elif link.has_more():
            # The reader has not come to it: that is not the server's fault.
            self._due[link] = (now + patience, patience)
        else:
            del self._due[link]
            # Before, so that whoever is woken knows; without a socket nobody is.
            link.silent = True
            link.silent = link.hang_up()


WATCH = Watch()
