"""The real server, `langgraph dev`, as a process in a virtual environment of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.support.free_port import free_port
from tests.support.installing import install

ROOT = Path(__file__).parents[2]
ENVIRONMENT = ROOT / ".interop"
GRAPHS = Path(__file__).parent / "graphs"
_START_LIMIT = 120.0


def environment() -> Path:
    """The virtual environment with `langgraph dev`, made on demand. Returns its `bin`."""
    done = ENVIRONMENT / ".installed"
    if not done.exists():
        shutil.rmtree(ENVIRONMENT, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], check=True)
        install(ENVIRONMENT / "bin" / "python", "langgraph-cli[inmem]", "fastapi")
        done.touch()
    return ENVIRONMENT / "bin"


@contextmanager
def langgraph_dev(folder: Path, graphs: Path = GRAPHS) -> Iterator[str]:
    """Run `langgraph dev` on a free port for as long as the context lasts; gives its URL.

    Ten runs at once: by default it runs one after the other. `folder` takes its log; the
    server's own files stay out of the checkout, for it runs on a copy of `graphs`.
    """
    programs = environment()
    here = folder / "graphs"
    shutil.copytree(graphs, here)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    log = folder / "langgraph-dev.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                str(programs / "langgraph"),
                "dev",
                "--no-browser",
                "--no-reload",
                "--host",
                "127.0.0.1",
                "--port",
                str(port),
                "--n-jobs-per-worker",
                "10",
            ],
            cwd=here,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            start_new_session=True,
        )
        try:
            _wait_until_up(url, process, log)
            yield url
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)


def _wait_until_up(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    limit = time.monotonic() + _START_LIMIT
    while time.monotonic() < limit:
        if process.poll() is not None:
            break
        try:
            if httpx.get(f"{url}/ok", timeout=2, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)  # Another process: there is no event to wait for.
    raise RuntimeError(f"langgraph dev did not start:\n{log.read_text()[-4000:]}")


if __name__ == "__main__":
    environment()
