"""Imports the graphs that a config names."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from langgraph_client.server.cli.config import Config, ConfigError


def load_graphs(config: Config) -> dict[str, Any]:
    """Set the environment, extend the import path, and return the graphs by name.

    Variables that are set already win over those of the config, and what is installed over what
    lies in a folder: a project's `statistics.py` does not hide the standard library's.

    Raises:
        ConfigError: A graph cannot be loaded.
    """
    for name, value in config.env.items():
        os.environ.setdefault(name, value)
    sys.path += [str(path) for path in config.paths if str(path) not in sys.path]
    return {name: _load(config, name, place) for name, place in config.graphs.items()}


def _load(config: Config, name: str, place: str) -> Any:
    where, _, attribute = place.rpartition(":")
    try:
        module = _module(config.file.resolve().parent, where)
    except (Exception, SystemExit) as error:  # whatever the module raises when it is imported
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
