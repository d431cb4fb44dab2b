"""What the upstream tests need beside the checkout: their sources and virtual environments.

Everything lies in a cache outside the checkout. The versions are those that are installed where
this runs, so the tests are those of the langgraph that the project is developed against.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.installing import install

ROOT = Path(__file__).resolve().parents[2]

#: What the upstream tests import, most of it only to skip what needs a database.
_TEST_TOOLS = [
    "langgraph-checkpoint-postgres",
    "psutil",
    "psycopg-pool",
    "psycopg[binary]",
    "pycryptodome",
    "pytest",
    "pytest-asyncio",
    "pytest-mock",
    "pytest-timeout",
    "pytest-xdist",
    "redis",
    "syrupy",
    "uvloop",
]
#: What LangChain's agents and their tests import.
_AGENTS = [
    "blockbuster",
    "langchain",
    "langchain-openai",
    "langchain-tests",
    "pytest",
    "pytest-asyncio",
    "pytest-mock",
    "pytest-timeout",
    "pytest-xdist",
    "syrupy",
]
#: `langgraph dev`, and what the graphs of the SDK's integration tests are made of.
_SERVER = ["deepagents", "langchain", "langgraph-cli[inmem]"]

_PINNED = ("langgraph", "langchain", "langsmith", "pytest", "httpx", "starlette", "uvicorn")


def cache() -> Path:
    """The folder that keeps downloads, environments and results; made on demand."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base) / "langgraph_client" / "upstream"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def _locked() -> Iterator[None]:
    """One process at a time makes what is missing; suites may run side by side."""
    with (cache() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def version(package: str) -> str:
    """The installed version of `package`."""
    return importlib.metadata.version(package)


def sources(package: str, release: str | None = None) -> Path:
    """The unpacked source distribution of `package`, without a release in its installed version."""
    with _locked():
        return _sources(package, release or version(package))


def _sources(package: str, release: str) -> Path:
    folder = cache() / "sources" / f"{package}-{release}"
    if folder.exists():
        return folder
    folder.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        download = ["download", "--no-deps", "--no-binary", ":all:", "--dest", scratch]
        _pip(Path(sys.executable), *download, f"{package}=={release}")
        (archive,) = Path(scratch).glob("*.tar.gz")
        with tarfile.open(archive) as packed:
            packed.extractall(scratch, filter="data")
        (unpacked,) = (path for path in Path(scratch).iterdir() if path.is_dir())
        unpacked.rename(folder)
    return folder


def graph_environment() -> Path:
    """The interpreter of the graph and SDK tests.

    It has neither langchain, which adds a key to run metadata that exact comparisons reject, nor
    `langgraph dev`, whose absence one SDK test asserts.
    """
    return _environment("graphs", [*_our_requirements(), *_TEST_TOOLS])


def multi_agent_environment(packages: list[str]) -> Path:
    """The interpreter of the tests of supervisors and swarms, which `packages` make."""
    return _environment("multi-agent", [*_our_requirements(), *_TEST_TOOLS, *packages])


def agent_environment() -> Path:
    """The interpreter of the agent tests: the graph tests' has no langchain."""
    return _environment("agents", [*_our_requirements(), *_AGENTS])


def official_environment() -> Path:
    """The interpreter of the graph tests on `langgraph dev`."""
    return _environment("official", [*_our_requirements(), *_TEST_TOOLS, "langgraph-cli[inmem]"])


def server_environment() -> Path:
    """The interpreter of servers for the integration tests: ours and `langgraph dev`."""
    return _environment("servers", [*_our_requirements(), *_SERVER])


def _our_requirements() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return [*project["dependencies"], *project["optional-dependencies"]["server"], "langgraph-sdk"]


def _environment(name: str, requirements: list[str]) -> Path:
    return made(name, requirements, pins=_pins())


def made(
    name: str, requirements: list[str], interpreter: str = sys.executable, *, pins: str = ""
) -> Path:
    """The interpreter of a virtual environment with these packages; made once.

    Args:
        name: What the environment is for.
        requirements: The packages.
        interpreter: The Python that it is made with.
        pins: Versions of packages, as pip's constraints.
    """
    content = "\n".join([sys.version, interpreter, *sorted(requirements), pins])
    digest = hashlib.sha256(content.encode()).hexdigest()[:12]
    folder = cache() / "environments" / f"{name}-{digest}"
    with _locked():
        return _made(folder, requirements, interpreter, pins)


def _made(folder: Path, requirements: list[str], interpreter: str, pins: str) -> Path:
    python = folder / "bin" / "python"
    finished = folder / ".installed"
    if not finished.exists():
        shutil.rmtree(folder, ignore_errors=True)
        print(f"making the environment {folder}", flush=True)
        subprocess.run([interpreter, "-m", "venv", str(folder)], check=True)
        constraints = folder / "constraints.txt"
        constraints.write_text(pins, "utf-8")
        install(python, "--constraint", str(constraints), *requirements)
        finished.touch()
    return python


def _pins() -> str:
    """The installed versions of what the outcome of a test may depend on, as constraints."""
    versions = {
        found.name.lower(): found.version
        for found in importlib.metadata.distributions()
        if found.name.lower().startswith(_PINNED) and found.name != "langgraph-client"
    }
    return "".join(f"{name}=={versions[name]}\n" for name in sorted(versions))


def _pip(python: Path, *arguments: str) -> None:
    command = [str(python), "-m", "pip", "--disable-pip-version-check", "-qq", *arguments]
    subprocess.run(command, check=True)
