"""Rows of documents, the same in all databases.

A row has the columns to sort and to look up by, the document as JSON, and the fields with a column
of their own as JSON. In the document, such a field is null, to keep its place in the order.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from typing import Any

from langgraph_client.server.encoding import decode, encode
from langgraph_client.server.errors import Unreadable
from langgraph_client.server.storage.protocol import Document

logger = logging.getLogger("langgraph_client.server")

_OBJECTS = ("metadata", "config", "interrupts", "kwargs", "payload")
_TEXTS = ("status", "created_at", "updated_at")


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


def columns_of(fields: Collection[str] | None, columns: Sequence[str]) -> list[str]:
    """Return the columns from which fields can be read without the documents.

    Args:
        fields: The fields to read; None for all.
        columns: The fields to sort and to look up by.

    Returns:
        The columns, in their order; none if some of the fields have no column.
    """
    found = [column for column in columns if column in (fields or ())]
    return found if len(found) == len(fields or ()) else []


class RowReader:
    """Reads rows of one table as documents, and knows those that it cannot read.

    A damaged row must not hide the others. So a search leaves it out: a table adds
    `NOT IN damaged` to its queries, that pages stay full, and repeats a search that found another
    one. Before each search it looks again at those that are known, if any.

    Args:
        table: The table's name.
        key: The fields of the key.
        apart: The fields with a column of their own.
        damaged: The keys of the rows that could not be read, as far as known.

    Attributes:
        key: An SQL expression for the key as one text.
    """

    def __init__(
        self, table: str, key: Sequence[str], apart: Sequence[str], damaged: set[str]
    ) -> None:
        self._table, self._key, self._apart = table, tuple(key), tuple(apart)
        self.key = " || '/' || ".join(key)
        self.damaged = damaged

    def one(self, key: Sequence[object], row: Sequence[Any]) -> Document:
        """Return the document of a row.

        Args:
            key: The values of the key.
            row: The document as JSON, and the columns of `apart`.

        Raises:
            Unreadable: The row is damaged.
        """
        return self._read("/".join(map(str, key)), row, None)

    def many(self, rows: Sequence[Sequence[Any]], fields: Collection[str] | None) -> list[Document]:
        """Return the documents of rows, without those that are damaged.

        Args:
            rows: The key as one text, the document as JSON, and the columns of `apart`, each.
            fields: The fields to return; None for all.
        """
        documents = []
        for row in rows:
            try:
                documents.append(self._read(row[0], row[1:], fields))
            except Unreadable:
                continue
        return documents

    def look_again(self, keys: Collection[str], rows: Sequence[Sequence[Any]]) -> None:
        """Forget the damaged rows that anybody, such as another server, has repaired or deleted.

        Args:
            keys: The keys of damaged rows.
            rows: As for `many`: those of them that are still there.
        """
        self.many(rows, None)
        self.damaged.difference_update({*keys} - {row[0] for row in rows})

    def note_damage(self, key: str, reason: object) -> None:
        """Note a row that cannot be read; it is logged once."""
        if key not in self.damaged:
            self.damaged.add(key)
            logger.error("%s, and is left out: %s", self._described(key), reason)

    def _described(self, key: str) -> str:
        name = "/".join(self._key)
        return f"The row of table {self._table} with {name} {key} is damaged"

    def _read(self, key: str, row: Sequence[Any], fields: Collection[str] | None) -> Document:
        try:
            document = _document_of(row, self._apart, fields)
            self._check(document, fields)
        except (ValueError, TypeError) as error:  # The damage may be of any kind.
            self.note_damage(key, error)
            detail = f"{self._described(key)}: it can only be deleted, or restored from a backup"
            raise Unreadable(detail) from error
        if self.damaged:
            self.damaged.discard(key)
        if fields is not None:
            document = {name: value for name, value in document.items() if name in fields}
        return document

    def _check(self, document: Document, fields: Collection[str] | None) -> None:
        """Check the types of the key, and of other fields as far as the document has them.

        Raises:
            ValueError: A field has another type.
        """
        if any(type(document.get(name)) not in (str, int) for name in self._key):
            raise ValueError("the document has no key")
        for names, kind in ((_OBJECTS, dict), (_TEXTS, str)):
            for name in names:
                # One that is not read and has a column of its own is null in the document itself.
                is_read = name in document and (fields is None or name in fields)
                if is_read and type(document[name]) is not kind:
                    raise ValueError(f"the field {name} is not of type {kind.__name__}")


def _document_of(
    row: Sequence[Any], apart: Sequence[str], fields: Collection[str] | None
) -> Document:
    """Return the document of a row, with those of the fields that have columns of their own.

    Raises:
        ValueError: It is not JSON, or not an object.
        TypeError: It is not text.
    """
    document: Document = _decoded(row[0])
    if type(document) is not dict:
        raise ValueError("the document is not an object")
    for field, text in zip(apart, row[1:], strict=True):
        if text is not None and (fields is None or field in fields):
            document[field] = _decoded(text)
    return document


def _decoded(text: Any) -> Any:
    try:
        return decode(text)
    except TypeError:
        if isinstance(text, str):  # It has surrogates.
            raise ValueError("a text is not UTF-8") from None
        raise
