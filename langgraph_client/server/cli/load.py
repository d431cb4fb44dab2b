"""Import the objects that a config names, and create a server from them."""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import importlib
import importlib.util
import logging
import os
import re
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

from langgraph_client.current_server import ANY_SERVER, current_server
from langgraph_client.server.cli.config import AppConfig, ConfigError
from langgraph_client.server.graphs import sdk_loopback
from langgraph_client.server.options import StoreIndex, StoreOptions
from langgraph_client.server.server import Server

logger = logging.getLogger("langgraph_client.server")


def server_of(config: AppConfig, options: Mapping[str, object]) -> Server:
    """Return the server that a config describes, not started.

    Args:
        config: The config.
        options: Arguments of `Server` that a config cannot contain, or that override it.

    Raises:
        ConfigError: An object that the config names cannot be loaded.
        TypeError: An object that should be a graph is not one.
    """
    prepare(config)
    sdk_loopback.install()
    # For clients that the application creates at the top of a module.
    importing = current_server.set(ANY_SERVER)
    try:
        return _server_of(config, options)
    finally:
        current_server.reset(importing)


def _server_of(config: AppConfig, options: Mapping[str, object]) -> Server:
    http = config.http
    if config.http_app is not None:
        app = load_object(config, "http.app", config.http_app)
        http = dataclasses.replace(http, app=app)
    checkpointer = auth = encryption = None
    if config.checkpointer is not None:
        checkpointer = load_object(config, "checkpointer.path", config.checkpointer)
    if config.encryption is not None:
        encryption = load_object(config, "encryption.path", config.encryption)
    if config.auth is not None:
        auth = load_object(config, "auth.path", config.auth.path)
        http = dataclasses.replace(http, security=config.auth.openapi)
    server_options: dict[str, Any] = {
        "auth": auth,
        "studio_auth": config.auth is not None and not config.auth.disable_studio_auth,
        "store": load_store(config),
        "checkpointer": checkpointer,
        "encryption": encryption,
        "thread_ttl": config.thread_ttl,
        "allow_types": [
            load_object(config, "checkpointer.serde", ":".join(place))
            for place in config.allowed_classes
        ],
        "cors": config.cors or (),
        "descriptions": {
            name: place.description for name, place in config.graphs.items() if place.description
        },
        "http": http,
        "webhooks": dataclasses.replace(config.webhooks, headers=webhook_headers(config)),
    }
    return Server(load_graphs(config), **{**server_options, **options})


def load_store(config: AppConfig) -> object:
    """Return a config's store, a function that creates it, or the options of the server's own."""
    section = config.store
    if section.path is not None:
        return load_object(config, "store.path", section.path)
    index = None
    if section.dims is not None:
        embed: Any = section.embed
        # The name of a file or a module contains a slash or a dot, that of a provider does not.
        if "/" in embed.partition(":")[0] or "." in embed.partition(":")[0]:
            embed = load_object(config, "store.index.embed", embed)
        index = StoreIndex(section.dims, embed, section.fields)
    return StoreOptions(index, section.default_ttl, section.refresh_on_read)


def webhook_headers(config: AppConfig) -> dict[str, str]:
    """Return the headers of webhooks, with the values of variables for `${{ env.NAME }}`.

    Raises:
        ConfigError: A variable is not set, or does not have the required prefix.
    """

    def value_of(match: re.Match[str]) -> str:
        prefix, name = config.webhook_env_prefix, match[1].removeprefix("env.")
        if name == match[1] or not name.startswith(prefix):
            raise ConfigError(
                f"{config.file}: 'webhooks.headers' may name variables as ${{{{ env.{prefix}… }}}},"
                f" and not as {match[0]}"
            )
        if name not in os.environ:
            raise ConfigError(
                f"{config.file}: 'webhooks.headers' names the variable {name}, which is not set"
            )
        return os.environ[name]

    return {
        name: re.sub(r"\$\{\{\s*(.*?)\s*\}\}", value_of, text)
        for name, text in config.webhooks.headers.items()
    }


def prepare(config: AppConfig) -> None:
    """Set the environment, and extend the import path.

    Variables that are set already override those of the config. Installed modules come before those
    in folders: a project's `statistics.py` does not hide the standard library's.
    """
    for name, value in config.env.items():
        os.environ.setdefault(name, value)
    sys.path += [str(path) for path in config.paths if str(path) not in sys.path]


def load_graphs(config: AppConfig) -> dict[str, object]:
    """Return the graphs by name.

    Raises:
        ConfigError: A graph cannot be loaded.
    """
    return {name: _load_graph(config, name, place.path) for name, place in config.graphs.items()}


def _load_graph(config: AppConfig, name: str, place: str) -> object:
    """Return a graph with the stream transformers that its module's `stream_transformers()` adds.

    The function returns a list of stream transformers: classes, factories or instances.
    """
    graph = load_object(config, f"graph {name!r}", place)
    where = place.rpartition(":")[0]
    function = vars(_module(config.folder, where)).get("stream_transformers")
    if function is None:
        return graph
    if not callable(function):
        raise ConfigError(f"{config.file}: graph {name!r}: stream_transformers is not a function")
    from langgraph.pregel import Pregel

    if not isinstance(graph, Pregel):
        logger.warning(
            "stream_transformers() of %s is not used: graph %r is not a compiled graph", where, name
        )
        return graph
    transformers_made: Any = function()
    factories = [made if callable(made) else _always(made) for made in transformers_made]
    compiled: Any = graph
    transformers = (*compiled.stream_transformers, *factories)
    return compiled.copy(update={"stream_transformers": transformers})


def _always(value: object) -> Callable[[tuple[str, ...]], object]:
    return lambda _: value


def load_object(config: AppConfig, what: str, place: str) -> object:
    """Import an object that a config names.

    Args:
        config: The config.
        what: The key of the config that names the object, for errors.
        place: `path/to/file.py:name` or `module:name`.

    Raises:
        ConfigError: The object cannot be imported. The message names the file and the line of the
            application's code, and shows its frames without those of this package.
    """
    where, _, attribute = place.rpartition(":")
    try:
        module = _module(config.folder, where)
    except (Exception, SystemExit) as error:  # whatever the module raises when it is imported
        raise ConfigError(f"{config.file}: {what}: {_explained(error, where)}") from error
    if not hasattr(module, attribute):
        near = difflib.get_close_matches(attribute, vars(module), 1)
        hint = f". Did you mean {near[0]!r}?" if near else ""
        raise ConfigError(f"{config.file}: {what}: {where} has no {attribute!r}{hint}")
    return getattr(module, attribute)


def _module(folder: Path, where: str) -> ModuleType:
    if not where.endswith(".py"):
        return importlib.import_module(where)
    file = (folder / where).resolve()
    # Under a name of its own: a file may have the name of a module of the standard library.
    # The same in every process, because checkpoints contain the names of classes.
    mark = hashlib.blake2b(os.fsencode(file), digest_size=6).hexdigest()
    name = f"langgraph_hosted_{mark}_{file.stem}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None or not file.is_file():
        raise FileNotFoundError(f"no such file: {file}")
    module = importlib.util.module_from_spec(spec)
    # Before it runs: dataclasses and pydantic look up the names in annotations there.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _explained(error: BaseException, where: str) -> str:
    """Return the text for an exception: its place in the application's code, and its frames."""
    text = f"{type(error).__name__}: {error}"
    frames = _frames(error.__traceback__)
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        return f"{error.filename}:{error.lineno}: {type(error).__name__}: {error.msg}"
    if isinstance(error, ModuleNotFoundError) and error.name:
        package = error.name.partition(".")[0]
        text += f". Install the package of {package!r}, or name its folder in 'dependencies'"
    if not frames:
        return f"{where}: {text}"
    last = frames[-1]
    shown = f"{last.filename}:{last.lineno}: {text}"
    if len(frames) > 1:
        shown += "\n" + "".join(traceback.format_list(frames)).rstrip()
    return shown


def _frames(trace: TracebackType | None) -> list[traceback.FrameSummary]:
    """Return the frames of an import that are the application's own."""
    return [
        frame
        for frame in traceback.extract_tb(trace)
        if frame.filename != __file__
        and not frame.filename.startswith("<frozen ")
        and Path(frame.filename) != Path(importlib.__file__ or "")
    ]
