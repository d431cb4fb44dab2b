"""The keys of a `langgraph.json`: the type of each, and its effect on this server."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

Effect = Literal["honoured", "ignored", "refused"]
"""Whether a key has an effect, has none and causes a warning, or prevents the server's start."""


@dataclass(frozen=True)
class Key:
    """One key.

    Attributes:
        kind: The type of its value, as shown to the user.
        effect: Its effect on this server.
        why: Why it has no effect, or what a server without it would allow.
        inside: The keys of the object that is its value; `*` for any name. None if the user
            chooses the names, or if the value is not an object.
        locks: Whether it restricts access. A misspelling of such a key prevents the server's start,
            because its author believes that the restriction is in force.
    """

    kind: str
    effect: Effect = "honoured"
    why: str = ""
    inside: Mapping[str, Key] | None = None
    locks: bool = False


class Finding(NamedTuple):
    """A problem with a key of a file.

    Attributes:
        text: The problem, without the file's name.
        fatal: Whether the server must not start.
    """

    text: str
    fatal: bool


TEXT, FLAG, OBJECT = "a text", "true or false", "an object"
NUMBER, WHOLE = "a number", "a whole number"
TEXTS, NUMBERS = "a list of texts", "a list of whole numbers"
ANY = "anything"
_DOCKER = "it is about building an image"


def _image(kind: str = TEXT) -> Key:
    return Key(kind, "ignored", _DOCKER)


def _object(inside: Mapping[str, Key], *, locks: bool = False) -> Key:
    return Key(OBJECT, inside=inside, locks=locks)


def _lock(kind: str = FLAG) -> Key:
    return Key(kind, locks=True)


_HEADERS = {name: Key(TEXTS) for name in ("includes", "excludes", "include", "exclude")}
_SWEEP = {
    "sweep_interval_minutes": Key(NUMBER, "ignored", "what is over is deleted at that moment"),
}
_AUTH = {
    "path": Key(TEXT),
    "disable_studio_auth": _lock(),
    "openapi": Key(OBJECT),
    "cache": Key(OBJECT, "ignored", "every request is authenticated"),
    "allow_langsmith_api_keys": Key(FLAG, "refused", "this server cannot check keys of LangSmith"),
}
_CHECKPOINTER = {
    "path": Key(TEXT),
    "backend": Key(TEXT),
    "uri": Key(TEXT, "ignored", "there is no MongoDB backend"),
    "ttl": _object(
        {
            "strategy": Key(TEXT),
            "default_ttl": Key(NUMBER),
            **_SWEEP,
            "sweep_limit": Key(WHOLE, "ignored", "all threads that are over are deleted"),
        }
    ),
    "serde": _object(
        {
            "allowed_json_modules": Key(ANY),
            "allowed_msgpack_modules": Key(ANY),
            "pickle_fallback": Key(FLAG, "ignored", "nothing is ever unpickled"),
        }
    ),
}
_STORE = {
    "path": Key(TEXT),
    "index": _object({"dims": Key(WHOLE), "embed": Key(TEXT), "fields": Key(TEXTS)}),
    "ttl": _object({"refresh_on_read": Key(FLAG), "default_ttl": Key(NUMBER), **_SWEEP}),
}
_CORS = {
    "allow_origins": _lock(TEXTS),
    "allow_origin_regex": _lock(TEXT),
    "allow_methods": _lock(TEXTS),
    "allow_headers": _lock(TEXTS),
    "allow_credentials": _lock(),
    "expose_headers": Key(TEXTS),
    "max_age": Key(WHOLE),
}
DISABLE = (
    "disable_assistants",
    "disable_threads",
    "disable_runs",
    "disable_store",
    "disable_meta",
    "disable_mcp",
    "disable_a2a",
    "disable_ui",
    "disable_event_streaming",
)
_HTTP = {
    "app": Key(TEXT),
    **{name: _lock() for name in DISABLE},
    "disable_webhooks": _lock(),
    "cors": _object(_CORS),
    "configurable_headers": _object(_HEADERS),
    "logging_headers": _object(_HEADERS),
    "middleware_order": Key(TEXT),
    "enable_custom_route_auth": _lock(),
    "mount_prefix": Key(TEXT),
}
_URL = {
    "require_https": _lock(),
    "allowed_domains": _lock(TEXTS),
    "allowed_ports": _lock(NUMBERS),
    "max_url_length": _lock(WHOLE),
    "disable_loopback": _lock(),
    "disable_private_ips": _lock(),
}
_WEBHOOKS = {
    "env_prefix": Key(TEXT),
    "headers": Key(OBJECT),
    "allowed_fields": _lock(TEXTS),
    "url": _object(_URL),
}
KEYS: Mapping[str, Key] = {
    "$schema": Key(TEXT),
    "graphs": _object(
        {"*": _object({"path": Key(TEXT), "description": Key(TEXT)})},
    ),
    "dependencies": Key("a list"),
    "env": Key(ANY),
    "auth": _object(_AUTH, locks=True),
    "http": _object(_HTTP),
    "store": _object(_STORE),
    "checkpointer": _object(_CHECKPOINTER),
    "webhooks": _object(_WEBHOOKS),
    "encryption": _object({"path": Key(TEXT)}, locks=True),
    "priority": Key(OBJECT, "refused", "all runs would have the same priority"),
    "ui": Key(OBJECT, "ignored", "components of user interfaces are not served"),
    "ui_config": Key(OBJECT, "ignored", "components of user interfaces are not served"),
    "disable_persistence": Key(FLAG, "ignored", "nothing is kept on disk without --db"),
    "python_version": _image(),
    "node_version": _image(),
    "api_version": _image(),
    "base_image": _image(),
    "image_distro": _image(),
    "pip_config_file": _image(),
    "pip_installer": _image(),
    "source": _image(OBJECT),
    "dockerfile_lines": _image(TEXTS),
    "keep_pkg_tools": _image(ANY),
    "_INTERNAL_docker_tag": _image(),
}
"""All keys of the schema of langgraph-cli 0.4.40, and those that langgraph-api 0.16.7 reads beside
them."""


def findings(document: Mapping[str, object]) -> Iterator[Finding]:
    """Yield the invalid keys of a config and those without effect, in the order of the file."""
    yield from _within(document, KEYS, "")


def _within(
    document: Mapping[str, object], keys: Mapping[str, Key], prefix: str
) -> Iterator[Finding]:
    for name, value in document.items():
        key = keys.get(name) or keys.get("*")
        if key is None:
            yield _unknown(name, value, keys, prefix)
        elif value is not None and not (prefix == "graphs." and isinstance(value, str)):
            yield from _about(prefix + name, key, value)


def _about(shown: str, key: Key, value: object) -> Iterator[Finding]:
    if not fits(value, key.kind):
        yield Finding(f"{shown!r} has to be {key.kind}", True)
    elif key.effect == "refused" and value not in (False, [], {}):
        yield Finding(f"{shown!r} is not supported: {key.why}. Remove it to serve without", True)
    elif key.effect == "ignored":
        yield Finding(f"{shown!r} has no effect here: {key.why}", False)
    elif key.inside is not None and isinstance(value, Mapping):
        yield from _within(value, key.inside, f"{shown}.")


def _unknown(name: str, value: object, keys: Mapping[str, Key], prefix: str) -> Finding:
    text = f"{prefix + name!r} is not a known key"
    near = difflib.get_close_matches(name, [key for key in keys if key != "*"], 1, 0.7)
    if not near:
        return Finding(f"{text} and has no effect", False)
    meant = f"Did you mean {prefix + near[0]!r}?"
    if _locks(keys[near[0]], value):
        return Finding(f"{text}. {meant} The server would be open without it", True)
    return Finding(f"{text} and has no effect. {meant}", False)


def _locks(key: Key, value: object) -> bool:
    """Return whether a value would restrict access under a key, or under one inside."""
    if value in (None, False, [], {}):
        return False
    named = value if isinstance(value, Mapping) else {}
    inside = (key.inside or {}).items()
    return key.locks or any(_locks(inner, named.get(name)) for name, inner in inside)


def fits(value: object, kind: str) -> bool:
    """Return whether a value of a JSON file is of a kind."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    if kind in (TEXTS, NUMBERS):
        inner = TEXT if kind == TEXTS else WHOLE
        return isinstance(value, list) and all(fits(item, inner) for item in value)
    return {
        TEXT: isinstance(value, str),
        FLAG: isinstance(value, bool),
        WHOLE: whole,
        NUMBER: whole or isinstance(value, float),
        OBJECT: isinstance(value, Mapping),
        "a list": isinstance(value, list),
        ANY: True,
    }[kind]
