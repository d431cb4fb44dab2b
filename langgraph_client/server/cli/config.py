"""Read a `langgraph.json` into one value. Nothing of the application is imported."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast, get_args

from langgraph_client.errors import InvalidArgumentError
from langgraph_client.models.fields import JsonMapping
from langgraph_client.server.cli.keys import DISABLE, findings
from langgraph_client.server.options import (
    Cors,
    Group,
    HeaderRules,
    HttpOptions,
    Strategy,
    ThreadTTL,
    WebhookOptions,
    check_minutes,
    check_number,
    is_origin,
)


class ConfigError(ValueError):
    """A config file is invalid. The message says why."""


@dataclass(frozen=True)
class GraphPlace:
    """The place of a graph.

    Attributes:
        path: `path/to/file.py:name` or `module:name`.
        description: The graph's description; None if the file has none.
    """

    path: str
    description: str | None = None


@dataclass(frozen=True)
class AuthSection:
    """The `auth` key.

    Attributes:
        path: The place of the `Auth` object.
        disable_studio_auth: Whether requests of LangGraph Studio are authenticated like all others.
        openapi: The security part of the OpenAPI document.
    """

    path: str
    disable_studio_auth: bool = True
    openapi: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class StoreSection:
    """The `store` key.

    Attributes:
        path: The place of a store, or of a function that creates one; None for the server's own.
        dims: How many numbers an embedding has; None for no index.
        embed: The place of the embedding function, or the name of a model.
        fields: The fields that are embedded.
        default_ttl: How many minutes an item is kept; None for ever.
        refresh_on_read: Whether reading an item starts its time to live again.
    """

    path: str | None = None
    dims: int | None = None
    embed: str = ""
    fields: tuple[str, ...] = ("$",)
    default_ttl: float | None = None
    refresh_on_read: bool = True


@dataclass(frozen=True)
class AppConfig:
    """The contents of a `langgraph.json`.

    Attributes:
        file: The file.
        graphs: The place of each graph, by name.
        env: Environment variables, from the file itself or from the file that it names.
        paths: Folders to add to the import path.
        auth: The `auth` section; None to allow everybody everything.
        http: The `http` section, without its `app`.
        http_app: The place of the application whose routes are served, too; None for none.
        cors: The web pages that may call the server; None if the file has no such section.
        webhooks: The allowed targets of webhooks; `headers` is as in the file.
        webhook_env_prefix: The prefix of variables that `headers` may name.
        store: The `store` section.
        checkpointer: The place of a function that creates the checkpointer; None for the server's
            own.
        encryption: The place of the `Encryption` object; None to store everything as plain text.
        thread_ttl: How long threads are kept; None for ever.
        allowed_classes: The classes of which checkpoints may create objects, as module and name.
        warnings: One line for each key that has no effect here.
    """

    file: Path
    graphs: Mapping[str, GraphPlace]
    env: Mapping[str, str] = field(default_factory=dict)
    paths: tuple[Path, ...] = ()
    auth: AuthSection | None = None
    http: HttpOptions = field(default_factory=HttpOptions)
    http_app: str | None = None
    cors: Cors | None = None
    webhooks: WebhookOptions = field(default_factory=WebhookOptions)
    webhook_env_prefix: str = "LG_WEBHOOK_"
    store: StoreSection = field(default_factory=StoreSection)
    checkpointer: str | None = None
    encryption: str | None = None
    thread_ttl: ThreadTTL | None = None
    allowed_classes: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """The folder to which paths in the file are relative."""
        return self.file.resolve().parent


def read_config(file: Path) -> AppConfig:
    """Return the contents of a config file.

    Raises:
        ConfigError: The file cannot be read, is invalid, or restricts access in a way that this
            server does not support.
    """
    try:
        document = json.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{file}: not JSON: {error}") from None
    if not isinstance(document, dict):
        raise ConfigError(f"{file}: has to be a JSON object")
    try:
        return _Reader(file, document).read()
    except ValueError as error:  # Not only ConfigError: a path with a NUL character is one.
        raise ConfigError(f"{file}: {error}") from None


class _Reader:
    """Reads the sections of a config. Its errors do not name the file."""

    def __init__(self, file: Path, document: JsonMapping) -> None:
        self._file = file
        self._document = document
        self._warnings: list[str] = []

    def read(self) -> AppConfig:
        for finding in findings(self._document):
            if finding.fatal:
                raise ConfigError(finding.text)
            self._warn(finding.text)
        webhooks = self._section("webhooks")
        return AppConfig(
            self._file,
            self._graphs(),
            self._env(),
            self._paths(),
            self._auth(),
            self._http(),
            self._section("http").get("app"),
            self._cors(),
            _webhooks(webhooks, enabled=not self._section("http").get("disable_webhooks")),
            webhooks.get("env_prefix", "LG_WEBHOOK_"),
            self._store(),
            self._checkpointer(),
            self._encryption(),
            self._thread_ttl(),
            self._allowed_classes(),
            tuple(f"{self._file}: {warning}" for warning in self._warnings),
        )

    def _warn(self, text: str) -> None:
        self._warnings.append(text)

    def _section(self, *names: str) -> JsonMapping:
        section: Any = self._document
        for name in names:
            section = section.get(name) or {}
        # A key with the value null counts as missing.
        return {name: value for name, value in section.items() if value is not None}

    def _graphs(self) -> dict[str, GraphPlace]:
        graphs = self._section("graphs")
        if not graphs:
            hints = "".join(f"; {warning}" for warning in self._warnings if "'graphs'" in warning)
            raise ConfigError(f"'graphs' has to name at least one graph{hints}")
        return {name: _graph(name, place) for name, place in graphs.items()}

    def _env(self) -> dict[str, str]:
        env = self._document.get("env") or {}
        if isinstance(env, dict):
            return {name: _variable(name, env[name]) for name in env if env[name] is not None}
        if not isinstance(env, str):
            raise ConfigError("'env' has to be an object or the name of a file")
        place = self._file.resolve().parent / env
        if not place.exists():
            self._warn(f"'env' names {env}, which does not exist")
            return {}
        from dotenv import dotenv_values

        try:
            # Some editors begin a file with a byte order mark.
            found = dotenv_values(place, encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{env}: {getattr(error, 'strerror', None) or error}") from None
        return {name: value for name, value in found.items() if value is not None}

    def _paths(self) -> tuple[Path, ...]:
        """Return the folders to import from: that of the config, and dependencies that are folders.

        Of a project with a `src` layout, that folder as well: it need not be installed.
        """
        folder = self._file.resolve().parent
        paths = [folder]
        for dependency in map(str, self._document.get("dependencies") or ["."]):
            path = (folder / dependency).resolve()
            if path.is_dir():
                paths.append(path)
                if (path / "src").is_dir() and _is_project(path):
                    paths.append(path / "src")
            elif dependency.startswith("."):
                raise ConfigError(f"dependency {dependency!r}: no such folder")
        return tuple(dict.fromkeys(paths))  # The other dependencies are names of packages.

    def _auth(self) -> AuthSection | None:
        if not self._document.get("auth"):
            return None
        # Not without a path whose value is null, such as of a variable that was not set.
        auth = self._section("auth")
        if "path" not in auth:
            raise ConfigError("'auth' needs a 'path'")
        return AuthSection(
            _place("auth.path", auth["path"]),
            auth.get("disable_studio_auth", True),
            auth.get("openapi", {}),
        )

    def _http(self) -> HttpOptions:
        http = self._section("http")
        order = http.get("middleware_order", "middleware_first")
        if order not in ("auth_first", "middleware_first"):
            raise ConfigError("'http.middleware_order' has to be auth_first or middleware_first")
        if "app" in http:
            _place("http.app", http["app"])
        prefix = http.get("mount_prefix", "")
        if prefix and not re.fullmatch(r"(/[^/?#]+)+", prefix):
            raise ConfigError("'http.mount_prefix' has to begin with a slash and not end with one")
        return HttpOptions(
            disabled=frozenset(
                cast("Group", name.removeprefix("disable_")) for name in DISABLE if http.get(name)
            ),
            mount_prefix=prefix,
            configurable_headers=_header_rules(http.get("configurable_headers") or {}),
            logging_headers=_header_rules(http.get("logging_headers") or {}),
            auth_first=order == "auth_first",
            custom_route_auth=http.get("enable_custom_route_auth", False),
        )

    def _cors(self) -> Cors | None:
        cors = dict(self._section("http", "cors"))
        if not cors:
            return None
        known = {one.name for one in dataclasses.fields(Cors)}
        for origin in cors.get("allow_origins", ()):
            if not is_origin(origin):
                self._warn(
                    f"'http.cors.allow_origins': {origin!r} has no effect: it is not an origin,"
                    " such as 'https://app.example'. 'allow_origin_regex' allows several"
                )
        if "allow_origins" in cors:
            cors["allow_origins"] = [*filter(is_origin, cors["allow_origins"])]
        try:
            return Cors(**{name: _frozen(cors[name]) for name in cors if name in known})
        except InvalidArgumentError as error:
            raise ConfigError(f"'http.cors.{error.parameter}': {error.problem}") from None

    def _store(self) -> StoreSection:
        store, ttl = self._section("store"), self._section("store", "ttl")
        index = self._section("store", "index")
        if index and ("dims" not in index or "embed" not in index):
            raise ConfigError("'store.index' needs 'dims' and 'embed'")
        if "path" in store:
            _place("store.path", store["path"])
            for name in ("index", "ttl"):
                if store.get(name):
                    self._warn(f"'store.{name}' has no effect here: 'store.path' names a store")
        else:
            with _of_key("store.ttl.default_ttl"):
                check_minutes("default_ttl", ttl.get("default_ttl"), optional=True)
            with _of_key("store.index.dims"):
                check_number("dims", index.get("dims"), whole=True, optional=True)
        return StoreSection(
            store.get("path"),
            index.get("dims"),
            index.get("embed", ""),
            tuple(index.get("fields") or ("$",)),
            ttl.get("default_ttl"),
            ttl.get("refresh_on_read", True),
        )

    def _checkpointer(self) -> str | None:
        section = self._section("checkpointer")
        backend = section.get("backend", "custom" if "path" in section else "default")
        if backend not in ("custom", "default"):
            raise ConfigError(f"'checkpointer.backend': this server has no {backend!r} backend")
        if backend == "custom" and "path" not in section:
            raise ConfigError("'checkpointer' needs a 'path'")
        return _place("checkpointer.path", section["path"]) if backend == "custom" else None

    def _encryption(self) -> str | None:
        if not self._document.get("encryption"):
            return None
        section = self._section("encryption")
        if "path" not in section:
            raise ConfigError("'encryption' needs a 'path'")
        return _place("encryption.path", section["path"])

    def _thread_ttl(self) -> ThreadTTL | None:
        ttl = self._section("checkpointer", "ttl")
        strategy = ttl.get("strategy", "delete")
        if strategy not in get_args(Strategy):
            raise ConfigError("'checkpointer.ttl.strategy' has to be delete or keep_latest")
        if (minutes := ttl.get("default_ttl")) is None:
            return None
        with _of_key("checkpointer.ttl.default_ttl"):
            return ThreadTTL(minutes, strategy)

    def _allowed_classes(self) -> tuple[tuple[str, str], ...]:
        serde = self._section("checkpointer", "serde")
        classes: list[tuple[str, str]] = []
        for name in ("allowed_json_modules", "allowed_msgpack_modules"):
            modules = serde.get(name)
            if modules is True:
                self._warn(
                    f"'checkpointer.serde.{name}' has no effect here: with --db, only the classes"
                    " that the graphs' schemas name are made out of checkpoints. Give a list"
                )
            for module in modules if isinstance(modules, list) else ():
                is_path = isinstance(module, list) and all(isinstance(x, str) for x in module)
                if not is_path or len(module) < 2:
                    problem = "has to be a list of lists of names: of modules, and of a class"
                    raise ConfigError(f"'checkpointer.serde.{name}' {problem}")
                classes.append((".".join(module[:-1]), module[-1]))
        return tuple(dict.fromkeys(classes))


@contextmanager
def _of_key(key: str) -> Iterator[None]:
    """Name the key of the file in the errors of a setting that is made from it."""
    try:
        yield
    except InvalidArgumentError as error:
        raise ConfigError(f"{key!r} {error.problem}") from None


def _graph(name: str, place: object) -> GraphPlace:
    path = place.get("path") if isinstance(place, dict) else place
    if not isinstance(path, str) or not all(path.rpartition(":")[::2]):
        raise ConfigError(f"graph {name!r} has to be 'path/to/file.py:name' or 'module:name'")
    _refuse_javascript(f"graph {name!r}", path)
    return GraphPlace(path, place.get("description") if isinstance(place, dict) else None)


def _place(key: str, path: str) -> str:
    if not all(path.rpartition(":")[::2]):
        raise ConfigError(f"{key!r} has to be 'path/to/file.py:name' or 'module:name'")
    _refuse_javascript(repr(key), path)
    return path


def _refuse_javascript(what: str, path: str) -> None:
    if re.search(r"\.[cm]?[jt]sx?$", path.rpartition(":")[0]):
        raise ConfigError(
            f"{what}: {path} is JavaScript or TypeScript, and this server runs Python."
            " Serve it by the command of @langchain/langgraph-cli"
        )


def _is_project(folder: Path) -> bool:
    return any((folder / name).exists() for name in ("pyproject.toml", "setup.py", "setup.cfg"))


def _header_rules(section: JsonMapping) -> HeaderRules:
    return HeaderRules(
        tuple(section.get("includes") or section.get("include") or ()),
        tuple(section.get("excludes") or section.get("exclude") or ()),
    )


def _webhooks(section: JsonMapping, *, enabled: bool) -> WebhookOptions:
    url = section.get("url") or {}
    loopback = url.get("disable_loopback") is False
    no_private = url.get("disable_private_ips")
    headers = section.get("headers") or {}
    if not all(isinstance(value, str) for value in headers.values()):
        raise ConfigError("'webhooks.headers' has to have texts for values")
    return WebhookOptions(
        enabled,
        loopback=loopback,
        private=loopback if no_private is None else not no_private,
        require_https=bool(url.get("require_https")),
        allowed_domains=tuple(url.get("allowed_domains") or ()),
        allowed_ports=tuple(url.get("allowed_ports") or ()),
        max_url_length=url.get("max_url_length") or 4096,
        headers=headers,
        fields=tuple(section.get("allowed_fields") or ()),
    )


def _variable(name: str, value: object) -> str:
    if not isinstance(value, str | int | float):
        raise ConfigError(f"'env.{name}' has to be a text, a number, true or false")
    text = str(value)
    if not name or "=" in name or "\0" in name + text:
        raise ConfigError(f"'env' has {name!r}, which cannot be an environment variable")
    return text


def _frozen(value: object) -> Any:
    return tuple(value) if isinstance(value, list) else value
