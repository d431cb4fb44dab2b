"""JSON files that tests keep: cassettes and dumps."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from langgraph_client.models.fields import JsonMapping, JsonObject

_SURROGATE = re.compile("[\ud800-\udfff]")


def write_document(path: str | os.PathLike[str], document: JsonMapping) -> None:
    """Write a document as readable JSON in UTF-8. If that fails, the old file stays as it is.

    Args:
        path: The file. Its folder is created.
        document: The document.
    """
    text = json.dumps(document, indent=1, ensure_ascii=False)
    # UTF-8 has no form for half a surrogate pair, which a server may send; JSON has one.
    text = _SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", text)
    # A link is followed: else the file would take its place.
    target = Path(os.path.realpath(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        beside.write_bytes(f"{text}\n".encode())
        os.replace(beside, target)
    finally:
        beside.unlink(missing_ok=True)


def read_document(path: str | os.PathLike[str], *, kind: str, part: str, format: int) -> JsonObject:
    """Read a document that `write_document` has written.

    Args:
        path: The file.
        kind: What it should be, for the error, such as "a dump".
        part: A field that every such document has.
        format: The format that this package reads.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is something else, or has another format.
    """
    try:
        document = json.loads(Path(path).read_bytes())
    except (ValueError, RecursionError) as error:
        problem = f"{path} is not the file of {kind}: it is not JSON in UTF-8 ({error})"
        raise ValueError(problem) from error
    if not isinstance(document, dict):
        raise ValueError(f"{path} is not the file of {kind}")
    check_document(document, str(path), kind=f"the file of {kind}", part=part, format=format)
    return document


def check_document(document: JsonMapping, name: str, *, kind: str, part: str, format: int) -> None:
    """Check that a document is of a kind and a format.

    Args:
        document: The document.
        name: What to call it in an error.
        kind: What it should be, for the error.
        part: A field that every such document has.
        format: The format that this package reads.

    Raises:
        ValueError: It is something else, or has another format.
    """
    if part not in document:
        raise ValueError(f"{name} is not {kind}")
    if document.get("format") != format:
        raise ValueError(f"{name} has format {document.get('format')}, this package reads {format}")
