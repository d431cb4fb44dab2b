"""Encode Python types that JSON loses, as plain JSON plus type notes.

Between a RemoteGraph and the bundled server, a value that plain JSON would change is sent as an
envelope. It has the plain JSON, which every reader of the protocol understands, and a list of notes
about the original types:

    {"__plain__": {"when": "2026-01-01", "at": [1, 2]},
     "__types__": [[["when"], "date"], [["at"], "tuple"]]}

A note is a path and a tag; a tag is a word, or a word with details. Notes must be applied in their
order, the inner ones first. A value that JSON represents exactly has no notes, and no
envelope unless it looks like one itself.

Classes (enums, dataclasses, pydantic models, named tuples) are noted by name. Objects of them are
created only if the reader allows the class: a message never causes an import.

Readers recognise langchain's messages by their form. So notes are needed where the form misleads:
for a dict that only looks like a message, and for a message that contains a value with a note. A
graph does not recognise messages by their form, so values for a server have a note for each.
"""

from __future__ import annotations

import base64
import dataclasses
import math
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any, TypeAlias, get_args, get_type_hints

from pydantic import BaseModel

PLAIN = "__plain__"
TYPES = "__types__"
#: Request header with which a client says that it reads envelopes, and the server that it does.
HEADER = "x-langgraph-client-values"
#: Its value. Clients and servers with different values use nothing but the protocol. To be raised
#: whenever the headers, events or envelopes here change their names or meaning.
VERSION = "2"
#: Request header with which a RemoteGraph says which channels of the state it wants: "*" for all,
#: or a JSON list. Without it, a server sends those of the graph's output schema.
OUTPUT_HEADER = "x-langgraph-client-output"
#: Request header with which a RemoteGraph asks for stream modes of a local graph that the protocol
#: does not have: a JSON list.
MODES_HEADER = "x-langgraph-client-modes"
#: Request header with which a RemoteGraph says that its run has a `RunControl`: the JSON document
#: `{"drain": reason, "pause": seconds}`. The reason is null until the run is to drain. The pause is
#: the time after a reply in which the run does not ask again; 0 if it is missing.
CONTROL_HEADER = "x-langgraph-client-control"
#: The event with which such a run asks, between supersteps, whether it is to drain. Its data,
#: `{"thread_id", "run_id", "number"}`, is answered at `POST /threads/{..}/runs/{..}/control`.
CONTROL_EVENT = "control"
#: The key in a run's `config.configurable` for what a RemoteGraph, as a node of a local graph,
#: takes over from that graph. It is an object with all or some of these keys:
#: - "thread_id": the thread of that graph, which nodes see as theirs;
#: - "checkpoints": those of the graphs around the run, by namespace, which its states contain; also
#:   the run's own, if it begins at one;
#: - "context": the one of that graph, for a run without its own;
#: - "keeps": false if the run must keep no state, whatever checkpointer its graph has;
#: - "resuming": true if that graph resumes: the run goes on from its thread's state, if it has one;
#: - "replay": the checkpoint from which that graph replays: the run starts with its input at the
#:   latest state that its thread had before;
#: - "answer": the answer for the first interrupt, and "answers": those by the ids of interrupts;
#: - "inherited": what the run's config has from the node around the call only, so that the config
#:   of the graph itself wins over it: its "tags", the names of "metadata" and "configurable", and
#:   in "options" those of "recursion_limit" and "max_concurrency".
#: A call inside a node that names its own thread has "inherited" only.
PARENT = "__parent"
#: The event with which such a run says that an interrupt has taken the "answer".
ANSWERED_EVENT = "answered"
#: Request header with which a RemoteGraph asks for additional events, as a JSON list of their
#: names: those of the next seven.
EXTRA_EVENTS_HEADER = "x-langgraph-client-extra-events"
#: The first event of a run: the classes of the graph's state, for `version="v2"`. Its data are
#: `{"output": name, "state": name}`, null for one that is a dict.
CLASSES_EVENT = "classes"
#: An interrupt or a resumption of a graph, for the caller's callbacks.
LIFECYCLE_EVENT = "lifecycle"
#: For a graph around the run that streams messages, with those of subgraphs: the ids of messages
#: that nodes have got, a list. It does not stream them again if the run returns them.
SEEN_EVENT = "seen"
#: Calls that langchain has made on the server's handlers, to be made on those of the caller: on its
#: tracers, and on its other handlers. The two differ, as a `TracePolicy` is for tracers only. Data
#: are lists of `{"name", "run_id", "parent_run_id", "args", "kwargs"}`, of starts also with `tags`
#: and `metadata`. The id of the run's own root is null, and there are no calls for it.
TRACER_CALLS_EVENT = "tracer_calls"
HANDLER_CALLS_EVENT = "handler_calls"
#: In place of the mode "messages", with the namespace behind it: the events of the blocks of which
#: models make their messages, and whole messages, each with metadata; for a run stream of "v3".
MESSAGE_EVENTS = "message_events"
#: What the transformers of a compiled graph push into channels, for a run stream of "v3". The data
#: of the first such event of a run are `{"channels": [key, ...]}`, those of the others
#: `{"key", "name", "item"}`, with null for the name of a channel that is not among the events.
EXTENSIONS_EVENT = "extensions"
#: In a run's command, the names of nodes to go to beside the sends in `goto`.
GOTO_NODES = "goto_nodes"
#: In a Send of a run's command, the fields of langgraph's `TimeoutPolicy`.
SEND_TIMEOUT = "__timeout"
#: The attribute by which langgraph marks the error of an answer that does not fit its interrupt's
#: schema (seen in 1.2.24); `langgraph.errors.is_invalid_resume` reads it.
INVALID_RESUME = "_langgraph_invalid_resume"
#: Response header that names the class of the exception with which a graph refused a state call.
ERROR_HEADER = "x-langgraph-client-error"

Note: TypeAlias = list[Any]
Allowed: TypeAlias = Mapping[str, type]


def split(
    value: Any, plain: Callable[[Any], Any], *, note_messages: bool = False
) -> tuple[Any, list[Note]]:
    """Return the plain JSON of a value, and the notes that restore it.

    Args:
        value: Anything.
        plain: Converts a value that has no rule here to plain JSON.
        note_messages: Note each message, for a reader that does not recognise messages by their
            form.
    """
    notes: list[Note] = []
    flat = _split(value, plain, [], notes)
    if not note_messages:
        notes = _needed(notes)
    return flat, [note[:2] for note in notes]


def _needed(notes: list[Note]) -> list[Note]:
    """Drop the notes of messages that contain no value with a note."""
    needed: list[Note] = []
    for note in notes:
        path, _, *is_message = note
        # The inner notes come first, so that those inside of this one end with the last.
        if not is_message or (needed and needed[-1][0][: len(path)] == path):
            needed.append(note)
    return needed


def enclose(value: Any, plain: Callable[[Any], Any], *, note_messages: bool = False) -> Any:
    """Return `value` as plain JSON, in an envelope if plain JSON loses something.

    A value that looks like an envelope has one, too, without notes.
    """
    flat, notes = split(value, plain, note_messages=note_messages)
    return {PLAIN: flat, TYPES: notes} if notes or is_envelope(flat) else flat


def is_envelope(value: Any) -> bool:
    """Return whether a JSON value is an envelope."""
    return isinstance(value, dict) and value.keys() == {PLAIN, TYPES}


def open_envelope(value: Any, allowed: Allowed) -> Any:
    """Return the value in an envelope; any other JSON value is returned unchanged.

    Raises:
        ValueError: The notes do not fit the value.
    """
    return restore(value[PLAIN], value[TYPES], allowed) if is_envelope(value) else value


def restore(flat: Any, notes: Iterable[Note], allowed: Allowed) -> Any:
    """Return the value that `split` took apart. A class that is not allowed stays plain JSON.

    Raises:
        ValueError: The notes do not fit the value.
    """
    holder = [flat]
    for note in notes:
        try:
            path, tag = note
            at: Any = holder
            key: Any = 0
            for step in path:
                at, key = at[key], step
            at[key] = _restored(at[key], tag, allowed)
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
            raise ValueError(f"a value does not fit its type note {note!r}: {error}") from error
    return holder[0]


def classes_in(*schemas: Any) -> dict[str, type]:
    """Return the classes that schemas name, at any depth, by name."""
    found: dict[str, type] = {}
    todo = list(schemas)
    seen: dict[int, Any] = {}  # By identity: what a schema names need not be hashable.
    while todo:
        kind = todo.pop()
        if id(kind) in seen:
            continue
        seen[id(kind)] = kind
        todo.extend(get_args(kind))
        if not isinstance(kind, type):
            continue
        if _tag_of(kind) is not None and not _is_interrupt(kind):
            found[name_of(kind)] = kind
        try:
            todo.extend(_field_types(_Same(kind)))
        except (NameError, TypeError):  # A forward reference that leads nowhere names no class.
            continue
    return found


# To resolve the hints of langchain's messages takes milliseconds, and a factory makes a graph for
# each run. The limit keeps few of the classes alive that a factory may make anew each time.
@lru_cache(maxsize=512)
def _field_types(key: _Same) -> tuple[Any, ...]:
    return tuple(get_type_hints(key.kind).values())


class _Same:
    """A class as a key: a metaclass may take two classes for equal, or have no hash."""

    def __init__(self, kind: type) -> None:
        self.kind = kind

    def __hash__(self) -> int:
        return id(self.kind)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.kind is self.kind


def name_of(kind: type) -> str:
    """Return the name of a class in notes."""
    return f"{kind.__module__}:{kind.__qualname__}"


_BUILTIN_FIELDS: dict[type[Exception], tuple[str, ...]] = {
    OSError: ("filename", "filename2"),
    ImportError: ("name", "path"),
    AttributeError: ("name",),
    NameError: ("name",),
}


def builtin_fields(error: BaseException) -> dict[str, Any]:
    """Return what a built-in exception keeps neither in its `args` nor in its `__dict__`."""
    return {
        name: value
        for kind, names in _BUILTIN_FIELDS.items()
        if isinstance(error, kind)
        for name in names
        if (value := vars(kind)[name].__get__(error)) is not None
    }


# --- taking apart ---


def _split(value: Any, plain: Callable[[Any], Any], path: list[Any], notes: list[Note]) -> Any:
    kind = type(value)
    if value is None or kind is bool:
        return value
    if kind is str:
        return _split_text(value, plain, path, notes)
    if kind is int:
        if not -(2**63) <= value < 2**64:
            notes.append([path, ["int", str(value)]])
        return plain(value)
    if kind is float:
        if not math.isfinite(value):
            notes.append([path, ["float", str(value)]])
        return plain(value)
    if kind is dict:
        return _split_dict(value, plain, path, notes)
    if kind is list:
        return [_split(item, plain, [*path, i], notes) for i, item in enumerate(value)]
    if kind in _SEQUENCES:
        items = [_split(item, plain, [*path, i], notes) for i, item in enumerate(value)]
        notes.append([path, _SEQUENCES[kind]])
        return items
    if kind in _LEAVES:
        notes.append([path, _LEAVES[kind](value)])
        return plain(value)
    tag = _tag_of(kind)
    if tag is not None:
        return _split_object(value, tag, plain, path, notes)
    for base in kind.__mro__:  # The subclass is lost, but not what it holds.
        if base in _LEAVES:
            notes.append([path, _LEAVES[base](value)])
            return plain(value)
        if base in _BASES:
            return _split(_BASES[base](value), plain, path, notes)
    if isinstance(value, Mapping):
        return _split(dict(value), plain, path, notes)
    return plain(value)


def _split_text(value: str, plain: Callable[[Any], Any], path: list[Any], notes: list[Note]) -> Any:
    flat = plain(value)
    if flat != value:  # NUL, lone surrogates.
        notes.append([path, ["text", [ord(character) for character in value]]])
    return flat


def _split_dict(
    value: dict[Any, Any], plain: Callable[[Any], Any], path: list[Any], notes: list[Note]
) -> Any:
    for key in value:
        # NUL and lone surrogates, which JSON does not have, cannot be printed. This is the quickest
        # check, and most dicts have usual keys only.
        if type(key) is not str or not key.isprintable():
            return _split_odd_keys(value, plain, path, notes)
    flat: dict[str, Any] = {}
    for key, item in value.items():  # A comprehension is slower for small dicts.
        flat[key] = _split(item, plain, [*path, key], notes)
    if value.keys() >= _MESSAGE_KEYS:
        notes.append([path, "dict"])
    return flat


def _split_odd_keys(
    value: dict[Any, Any], plain: Callable[[Any], Any], path: list[Any], notes: list[Note]
) -> Any:
    names: dict[str, Any] = {}
    tags: dict[str, Any] = {}
    for key in value:
        name = _plain_key(key, plain)
        if (tag := _key_tag(key)) is not None:
            tags[name] = tag
        if name in names or (tag is None and name != key):
            # Two keys that are one in JSON, or a key that is another one there.
            return _split_items(value, plain, path, notes)
        names[name] = value[key]
    flat = {name: _split(item, plain, [*path, name], notes) for name, item in names.items()}
    if value.keys() >= _MESSAGE_KEYS:
        notes.append([path, "dict"])
    # Last: in the paths of the notes inside, the keys are text.
    if tags:
        notes.append([path, ["keys", tags]])
    return flat


def _split_items(
    value: dict[Any, Any], plain: Callable[[Any], Any], path: list[Any], notes: list[Note]
) -> Any:
    """Return the plain JSON of a dict; a note has all of its keys and items."""
    items, item_notes = split([[*item] for item in value.items()], plain, note_messages=True)
    notes.append([path, ["items", items, item_notes]])
    names = [_plain_key(key, plain) for key in value]
    return {name: item for name, (_, item) in zip(names, items, strict=True)}


def _plain_key(key: Any, plain: Callable[[Any], Any]) -> str:
    name: str = plain(key) if type(key) is str else next(iter(plain({key: None})))
    return name


def _key_tag(key: Any) -> Any:
    if key is None or isinstance(key, bool):
        return ["json", key]
    if type(key) is int:
        return ["int", str(key)]
    if type(key) is float:
        return ["float", repr(key)]
    if type(key) in (uuid.UUID, date, datetime):
        return [type(key).__name__.lower(), str(key)]
    if isinstance(key, Enum):
        return ["enum", [name_of(type(key)), key.name]]
    return None


def _split_object(
    value: Any, tag: str, plain: Callable[[Any], Any], path: list[Any], notes: list[Note]
) -> Any:
    details: list[Any] = []
    if tag == "enum":
        notes.append([path, ["enum", name_of(type(value)), value.name]])
        return plain(value)
    if tag == "namedtuple":
        fields = value._asdict()
    elif tag == "pydantic":
        fields = {name: getattr(value, name) for name in type(value).model_fields}
        fields.update(value.model_extra or {})
        if value.model_fields_set != fields.keys():
            details = [sorted(value.model_fields_set)]
    elif tag == "send":
        fields = {"node": value.node, "arg": value.arg}
        if (timeout := getattr(value, "timeout", None)) is not None:  # langgraph 1.2 has it.
            fields["timeout"] = timeout
    else:
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    flat = {name: _split(item, plain, [*path, name], notes) for name, item in fields.items()}
    if not _is_interrupt(type(value)):  # The reader knows an interrupt by its place.
        note = [path, [tag, name_of(type(value)), *details]]
        notes.append([*note, True] if is_message(value) else note)
    return flat


def _is_interrupt(kind: type) -> bool:
    return kind.__name__ == "Interrupt" and kind.__module__.startswith("langgraph.")


def _tag_of(kind: type) -> str | None:
    if issubclass(kind, Enum):
        return "enum"
    if issubclass(kind, BaseModel):
        return "pydantic"
    if issubclass(kind, tuple) and hasattr(kind, "_asdict"):
        return "namedtuple"
    if dataclasses.is_dataclass(kind):
        return "dataclass"
    if kind.__name__ == "Send" and kind.__module__.startswith("langgraph."):
        return "send"
    return None


def looks_like_message(value: object) -> bool:
    """Return whether a reader would take a JSON value for one of langchain's messages."""
    return isinstance(value, dict) and value.keys() >= _MESSAGE_KEYS


def is_message(value: Any) -> bool:
    """Return whether a value is one of langchain's messages."""
    return isinstance(value, BaseModel) and hasattr(value, "additional_kwargs")


_MESSAGE_KEYS = {"type", "content", "additional_kwargs", "response_metadata"}
_SEQUENCES: dict[type, str] = {
    tuple: "tuple",
    set: "set",
    frozenset: "frozenset",
    deque: "deque",
}
#: Of other types that a subclass can have, the functions that make an object of the type itself.
_BASES: dict[type, Callable[[Any], Any]] = {
    dict: dict,
    list: list,
    **{kind: kind for kind in _SEQUENCES},
    str: str.__str__,
    int: int.__int__,
    float: float.__float__,
}
_LEAVES: dict[type, Callable[[Any], Any]] = {
    bytes: lambda value: "bytes",
    bytearray: lambda value: "bytearray",
    datetime: lambda value: "datetime",
    date: lambda value: "date",
    time: lambda value: "time",
    timedelta: lambda value: ["timedelta", [value.days, value.seconds, value.microseconds]],
    uuid.UUID: lambda value: "uuid",
    Decimal: lambda value: ["decimal", str(value)],
}


# --- putting together ---


def _restored(flat: Any, tag: Any, allowed: Allowed) -> Any:
    entries: list[Any] = [tag] if isinstance(tag, str) else tag
    word, *details = entries
    if word in _SIMPLE:
        return _SIMPLE[word](flat)
    if word in _DETAILED:
        return _DETAILED[word](details[0])
    if word == "keys":
        return {_key(details[0].get(name), name, allowed): item for name, item in flat.items()}
    if word == "items":
        items = restore(details[0], details[1], allowed)
        return {key if _is_hashable(key) else str(key): item for key, item in items}
    if word in ("enum", "pydantic", "dataclass", "namedtuple", "send"):
        return _instance(flat, word, details, allowed)
    return flat  # A word of a later version: what it means, JSON does not need.


def _is_hashable(key: Any) -> bool:
    """Return whether a restored key can be one; of a class that is not allowed it is a dict."""
    try:
        hash(key)
    except TypeError:
        return False
    return True


def _key(tag: Any, name: str, allowed: Allowed) -> Any:
    if tag is None:
        return name
    word, detail = tag
    if word == "enum":
        return _instance(name, word, detail, allowed)
    return detail if word == "json" else _DETAILED[word](detail)


def _instance(flat: Any, word: str, details: list[Any], allowed: Allowed) -> Any:
    kind: Any = allowed_class(details[0], allowed)
    # The class may be of another kind than on the other side: plain JSON is then the safe answer.
    if kind is None or _tag_of(kind) != word:
        return flat
    if word == "enum":
        # Several flags, or none, are a value without a name of its own.
        return kind[details[1]] if details[1] in kind.__members__ else kind(flat)
    if word in ("namedtuple", "send"):
        return kind(**flat)
    if word == "pydantic":
        # What is inside was a valid model on the other side; checking again would convert again.
        return kind.model_construct(set(details[1]) if details[1:] else None, **flat)
    return _dataclass_instance(kind, flat)


def _dataclass_instance(kind: Any, fields: dict[str, Any]) -> Any:
    """Return an object with these fields; its class sets further ones if it accepts them."""
    initial = {field.name for field in dataclasses.fields(kind) if field.init}
    try:
        made = kind(**{name: item for name, item in fields.items() if name in initial})
    except Exception:  # It may refuse what its fields have become, or need an `InitVar`.
        # Without the constructor: the fields were valid on the other side.
        made = object.__new__(kind)
    for name, item in fields.items():
        object.__setattr__(made, name, item)
    return made


def allowed_class(name: str, allowed: Allowed) -> type | None:
    """Return the allowed class of that name; of that name in another module, where just one is.

    A class of an application is never taken for one of langgraph or langchain, which are allowed
    without being named by the caller.
    """
    if name in allowed:
        return allowed[name]
    wanted = _library(name), name.partition(":")[2]
    others = {
        kind
        for known, kind in allowed.items()
        if (_library(known), known.partition(":")[2]) == wanted
    }
    return others.pop() if len(others) == 1 else None


def _library(name: str) -> str | None:
    """Return the library of a class whose objects are always allowed; None for other classes."""
    package = name.partition(":")[0].partition(".")[0]
    return package if package in ("langgraph", "langchain_core") else None


_SIMPLE: dict[str, Callable[[Any], Any]] = {
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
    "deque": deque,
    "bytes": base64.b64decode,
    "bytearray": lambda flat: bytearray(base64.b64decode(flat)),
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "uuid": uuid.UUID,
}
_DETAILED: dict[str, Callable[[Any], Any]] = {
    "int": int,
    "float": float,
    "decimal": Decimal,
    "timedelta": lambda parts: timedelta(*parts),
    "text": lambda codes: "".join(map(chr, codes)),
    "uuid": uuid.UUID,
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
}
