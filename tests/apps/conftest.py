"""Whole applications, each a folder here, served by the command, or by langgraph dev."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.interop.real import langgraph_dev

APPS = Path(__file__).parent


@contextmanager
def command(folder: Path, *options: str) -> Iterator[str]:
    """Serve the application in a folder by the command; gives its URL."""
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "langgraph_client.server", "--port", "0", *options],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**os.environ, "LANGSMITH_TRACING": "false"},
        )
    assert process.stdout
    try:
        line = process.stdout.readline()
        assert line, (folder / "log.txt").read_text()
        yield line.split()[0]
    finally:
        process.terminate()
        try:
            process.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


class Apps:
    """The applications that a subject serves, each started when it is first asked for."""

    def __init__(self, subject: str, folder: Path, stack: ExitStack) -> None:
        self._subject = subject
        self._folder = folder
        self._stack = stack
        self._clients: dict[str, httpx.Client] = {}

    def folder(self, name: str) -> Path:
        """Where the application lies while it is served."""
        return self._folder / name / "graphs"

    def client(self, name: str) -> httpx.Client:
        """A bare HTTP client of an application, by the name of its folder."""
        if name not in self._clients:
            place = self.folder(name)
            place.parent.mkdir(parents=True)
            if self._subject == "real":
                url = self._stack.enter_context(langgraph_dev(place.parent, APPS / name))
            else:
                shutil.copytree(APPS / name, place)
                url = self._stack.enter_context(command(place))
            client = httpx.Client(base_url=url, timeout=60, trust_env=False)
            self._clients[name] = self._stack.enter_context(client)
        return self._clients[name]


@pytest.fixture(scope="session")
def apps(subject: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apps]:
    """Serves the applications in the folders here."""
    with ExitStack() as stack:
        yield Apps(subject, tmp_path_factory.mktemp(f"apps-{subject}"), stack)
