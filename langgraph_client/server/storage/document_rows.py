"""Rows of documents, the same in all databases.

A row has the columns to sort and to look up by, the document as JSON, and the fields with a column
of their own as JSON. In the document, such a field is null, to keep its place in the order.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from langgraph_client.server.encoding import decode, encode
from langgraph_client.server.storage.protocol import Document


def row_of(document: Document, columns: Sequence[str], apart: Sequence[str]) -> list[object]:
    """Return the row of a document.

    Args:
        document: The document.
        columns: The fields to sort and to look up by.
        apart: The fields with a column of their own.
    """
    rest = {name: None if name in apart else document[name] for name in document}
    row: list[object] = [document.get(column) for column in columns]
    row.append(encode(rest).decode())
    row += [encode(document[field]).decode() if field in document else None for field in apart]
    return row


def document_of(
    row: Sequence[str | None], apart: Sequence[str], fields: Collection[str] | None
) -> Document:
    """Return the document of a row, with the fields of their own columns in their places.

    Args:
        row: The document as JSON, and the columns of `apart`.
        apart: The fields with a column of their own.
        fields: The fields to return; None for all.
    """
    document: Document = decode(row[0] or "{}")
    for field, text in zip(apart, row[1:], strict=True):
        if text is not None and (fields is None or field in fields):
            document[field] = decode(text)
    if fields is not None:
        document = {name: value for name, value in document.items() if name in fields}
    return document
