"""Reads a `langgraph.json`."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any


class ConfigError(ValueError):
    """Something is wrong with a config file; the text says what, in one line."""


@dataclass(frozen=True)
class Config:
    """What a `langgraph.json` asks for."""

    file: Path
    graphs: Mapping[str, str]
    env: Mapping[str, str]
    paths: tuple[Path, ...]
    #: Whether webhooks may go to this machine (`webhooks.url.disable_loopback: false`).
    local_webhooks: bool = False


def read_config(file: Path) -> Config:
    """Return what a config file says, without importing anything.

    Raises:
        ConfigError: It cannot be read, or is not as it should be.
    """
    try:
        given = json.loads(file.read_text())
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror or error}") from None
    except ValueError as error:
        raise ConfigError(f"{file}: not JSON: {error}") from None
    if not isinstance(given, dict):
        raise ConfigError(f"{file}: has to be a JSON object")
    graphs = given.get("graphs")
    if not isinstance(graphs, dict) or not graphs:
        raise ConfigError(f"{file}: 'graphs' has to name at least one graph")
    places: dict[str, str] = {}
    for name, place in graphs.items():
        where = place.get("path") if isinstance(place, dict) else place
        if not isinstance(where, str) or not all(where.rpartition(":")[::2]):
            raise ConfigError(f"{file}: graph {name!r} has to be 'path/to/file.py:name'")
        places[name] = where
    folder = file.resolve().parent
    dependencies = given.get("dependencies", ["."])
    if not isinstance(dependencies, list):
        raise ConfigError(f"{file}: 'dependencies' has to be a list")
    paths = tuple(folder / one for one in dependencies if str(one).startswith("."))
    return Config(
        file, places, _env(file, given.get("env", {})), paths, _local_webhooks(file, given)
    )


def _local_webhooks(file: Path, given: dict[str, Any]) -> bool:
    webhooks = given.get("webhooks", {})
    rules = webhooks.get("url", {}) if isinstance(webhooks, dict) else None
    if not isinstance(rules, dict):
        raise ConfigError(f"{file}: 'webhooks' has to be an object with an object 'url'")
    return rules.get("disable_loopback") is False


def _env(file: Path, given: Any) -> dict[str, str]:
    if isinstance(given, dict):
        return {str(name): str(value) for name, value in given.items()}
    if not isinstance(given, str):
        raise ConfigError(f"{file}: 'env' has to be an object or the name of a file")
    place = file.resolve().parent / given
    try:
        lines = place.read_text().splitlines()
    except OSError as error:
        raise ConfigError(f"{place}: {error.strerror or error}") from None
    found = {}
    for line in lines:
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and not name.startswith("#"):
            found[name.strip()] = value.strip().strip("'\"")
    return found


def load_graphs(config: Config) -> dict[str, Any]:
    """Set the environment, extend the import path, and return the graphs by name.

    Variables that are set already win over those of the config.

    Raises:
        ConfigError: A graph cannot be loaded.
    """
    for name, value in config.env.items():
        os.environ.setdefault(name, value)
    sys.path[:0] = [str(path) for path in config.paths if str(path) not in sys.path]
    return {name: _load(config, name, place) for name, place in config.graphs.items()}


def _load(config: Config, name: str, place: str) -> Any:
    where, _, attribute = place.rpartition(":")
    try:
        module = _module(config.file.resolve().parent, where)
    except Exception as error:  # whatever the module raises when it is imported
        text = f"{type(error).__name__}: {error}"
        raise ConfigError(f"{config.file}: graph {name!r}: {where}: {text}") from error
    if not hasattr(module, attribute):
        raise ConfigError(f"{config.file}: graph {name!r}: {where} has no {attribute!r}")
    return getattr(module, attribute)


def _module(folder: Path, where: str) -> ModuleType:
    if not where.endswith(".py"):
        return importlib.import_module(where)
    file = (folder / where).resolve()
    # Under a name of its own: a file may be called as a module of the standard library is.
    # The same in every process, as checkpoints name the classes of what they hold.
    mark = hashlib.blake2b(os.fsencode(file), digest_size=6).hexdigest()
    name = f"langgraph_hosted_{mark}_{file.stem}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None or not file.is_file():
        raise FileNotFoundError(f"no such file: {file}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
