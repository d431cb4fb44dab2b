"""Reads a `langgraph.json`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class ConfigError(ValueError):
    """Something is wrong with a config file; the text says what, in one line."""


@dataclass(frozen=True)
class Config:
    """What a `langgraph.json` asks for.

    Attributes:
        file: The file.
        graphs: Where each graph is: `path/to/file.py:name` or `module:name`.
        env: Environment variables, as the file or the file it names gives them.
        paths: Folders that are put on the import path.
        local_webhooks: Whether webhooks may go to this machine
            (`webhooks.url.disable_loopback: false`).
        cors: The origins whose pages may call (`http.cors.allow_origins`).
        warnings: What has no effect here, by name, one line each.
    """

    file: Path
    graphs: Mapping[str, str]
    env: Mapping[str, str]
    paths: tuple[Path, ...]
    local_webhooks: bool = False
    cors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


_READ = {
    "$schema",
    "graphs",
    "env",
    "dependencies",
    "graphs.*.path",
    "http",
    "http.cors",
    "http.cors.allow_origins",
    "webhooks",
    "webhooks.url",
    "webhooks.url.disable_loopback",
}
_LOCKS = {
    "auth": "the server would be open to everybody",
    "encryption": "data would be kept as it is",
    "http.disable_assistants": "the endpoints would be there",
    "http.disable_threads": "the endpoints would be there",
    "http.disable_runs": "the endpoints would be there",
    "http.disable_store": "the endpoints would be there",
    "http.disable_meta": "the endpoints would be there",
    "http.disable_webhooks": "webhooks would be sent",
    "http.enable_custom_route_auth": "the server would be open to everybody",
    "http.cors.allow_origin_regex": "the origins it names could not call; use allow_origins",
    "webhooks.url.allowed_domains": "webhooks would go anywhere",
    "webhooks.url.allowed_ports": "webhooks would go anywhere",
    "webhooks.url.require_https": "webhooks would go anywhere",
}
"""Keys that restrict who may do what, and what leaving them out would mean: with one of them the
server does not start, as its owner believes that door locked."""
_KNOWN = {
    "api_version",
    "base_image",
    "checkpointer",
    "dockerfile_lines",
    "graphs.*.description",
    "http.app",
    "http.configurable_headers",
    "http.cors.allow_credentials",
    "http.cors.allow_headers",
    "http.cors.allow_methods",
    "http.cors.expose_headers",
    "http.cors.max_age",
    "http.disable_a2a",
    "http.disable_mcp",
    "http.disable_ui",
    "http.logging_headers",
    "http.middleware_order",
    "http.mount_prefix",
    "image_distro",
    "keep_pkg_tools",
    "node_version",
    "pip_config_file",
    "pip_installer",
    "python_version",
    "store",
    "ui",
    "ui_config",
    "webhooks.env_prefix",
    "webhooks.headers",
    "webhooks.url.max_url_length",
}
"""Keys that other servers act on."""


def read_config(file: Path) -> Config:
    """Return what a config file says, without importing anything.

    Raises:
        ConfigError: It cannot be read, or is not as it should be, or restricts access in a way that
            this server does not know.
    """
    try:
        given = json.loads(file.read_text(encoding="utf-8-sig"))
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
            raise ConfigError(
                f"{file}: graph {name!r} has to be 'path/to/file.py:name' or 'module:name'"
            )
        places[name] = where
    warnings = list(_without_effect(file, given))
    env = _env(file, given.get("env", {}), warnings)
    return Config(
        file,
        places,
        env,
        _paths(file, given),
        _section(file, given, "webhooks", "url").get("disable_loopback") is False,
        _origins(file, given),
        tuple(warnings),
    )


def _without_effect(file: Path, given: Mapping[str, Any]) -> Iterator[str]:
    """Yield a warning for each key that is not read.

    Raises:
        ConfigError: The key restricts access.
    """
    for key, shown, value in _keys(given):
        if key in _LOCKS and value not in (None, False, [], {}):
            raise ConfigError(
                f"{file}: {shown!r} is not supported: {_LOCKS[key]}. Remove it to serve without"
            )
        if key in _KNOWN:
            yield f"{file}: {shown!r} has no effect here"
        elif key not in _READ and key not in _LOCKS:
            yield f"{file}: {shown!r} is not a known key and has no effect"


_OPEN = {"graphs", "graphs.*", "http", "http.cors", "webhooks", "webhooks.url"}


def _keys(
    given: Mapping[str, Any], place: str = "", shown: str = ""
) -> Iterator[tuple[str, str, Any]]:
    """Yield each key as the tables above have it, as the file has it, and its value."""
    for name, value in given.items():
        key = "graphs.*" if place == "graphs." else place + name
        if key != "graphs.*":
            yield key, shown + name, value
        if key in _OPEN and isinstance(value, dict):
            yield from _keys(value, f"{key}.", f"{shown}{name}.")


def _section(file: Path, given: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    found = given
    for depth, name in enumerate(names, 1):
        below = found.get(name)
        if below is not None and not isinstance(below, dict):
            raise ConfigError(f"{file}: {'.'.join(names[:depth])!r} has to be an object")
        found = below or {}
    return found


def _origins(file: Path, given: Mapping[str, Any]) -> tuple[str, ...]:
    origins = _section(file, given, "http", "cors").get("allow_origins", [])
    if not isinstance(origins, list) or not all(isinstance(one, str) for one in origins):
        raise ConfigError(f"{file}: 'http.cors.allow_origins' has to be a list of texts")
    return tuple(origins)


def _paths(file: Path, given: Mapping[str, Any]) -> tuple[Path, ...]:
    """Return the folders to import from: that of the config, and dependencies that are folders."""
    folder = file.resolve().parent
    dependencies = given.get("dependencies", ["."])
    if not isinstance(dependencies, list):
        raise ConfigError(f"{file}: 'dependencies' has to be a list")
    found = [folder]
    for dependency in map(str, dependencies):
        path = (folder / dependency).resolve()
        if path.is_dir():
            found.append(path)
        elif dependency.startswith("."):
            raise ConfigError(f"{file}: dependency {dependency!r}: no such folder")
    return tuple(dict.fromkeys(found))  # Other dependencies are packages, installed or not.


def _env(file: Path, given: Any, warnings: list[str]) -> dict[str, str]:
    if isinstance(given, dict):
        return {str(name): str(value) for name, value in given.items()}
    if not isinstance(given, str):
        raise ConfigError(f"{file}: 'env' has to be an object or the name of a file")
    place = file.resolve().parent / given
    if not place.exists():
        warnings.append(f"{file}: 'env' names {given}, which does not exist")
        return {}
    from dotenv import dotenv_values

    try:
        found = dotenv_values(place, encoding="utf-8-sig")  # Some editors begin with a mark.
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{place}: {getattr(error, 'strerror', None) or error}") from None
    return {name: value for name, value in found.items() if value is not None}
