"""Tables of JSON documents.

A table has columns for sorting and lookup, a JSON column for each field that is large or searched
by its content, and a column for the rest of the document. So a search reads the metadata of a
thread and not its state, and only matching documents are decoded.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from langgraph_client.server.encoding import encode
from langgraph_client.server.storage.document_rows import RowReader, columns_of, row_of
from langgraph_client.server.storage.protocol import UNFINISHED, Document, KeyTaken
from langgraph_client.server.storage.sqlite.database import DamagedJson, Database
from langgraph_client.server.storage.sqlite.json_conditions import (
    contains_condition,
    text_condition,
)

MAX_INTEGER = 2**63 - 1
"""The greatest integer of SQLite; a greater limit or number has the same effect."""
_WITHOUT_CASE = ("name", "graph_id")
_BURST = 0.005
"""For about how many seconds a search may block the event loop before it yields."""
_FIRST_BATCH = 32
"""How many rows are checked first; later batches grow with the measured speed."""
_LARGEST_BATCH = 10_000
_BURST_BYTES = 1_000_000
"""How much JSON is decoded before other tasks may run."""


class _Filters(NamedTuple):
    """The filters of a search that look into documents; see `protocol.Documents.search`."""

    contains: Mapping[str, object]
    any_of: Sequence[Mapping[str, object]] | None
    text: Mapping[str, str]

    @property
    def fields(self) -> set[str]:
        """The fields whose JSON they look into."""
        return {*self.contains, *(field for one in self.any_of or () for field in one)}


class Table:
    """Documents of one kind; see `protocol.Documents`.

    Args:
        database: The database.
        name: The table's name.
        columns: The fields to sort and to look up by. The first ones are the key.
        apart: The fields with a column of their own, as JSON.
        key_length: How many of `columns` are the key.
    """

    def __init__(
        self,
        database: Database,
        name: str,
        columns: Sequence[str],
        *,
        apart: Sequence[str] = (),
        key_length: int = 1,
    ) -> None:
        self._database = database
        self._name = name
        self._columns = tuple(columns)
        self._apart = tuple(apart)
        key = columns[:key_length]
        self._reader = RowReader(name, key, apart, set())
        # A damaged row may have none.
        self._key_text = f"coalesce({self._reader.key}, '')"
        self._key = " AND ".join(f"{column} = ?" for column in key)
        # Large columns come last, because SQLite reads a row only up to the last column that it
        # needs. Names are quoted, because `values` is a keyword.
        names = [*columns, "doc", *(f'"{field}"' for field in apart)]
        database.execute(
            f"CREATE TABLE IF NOT EXISTS {name} ({', '.join(names)},"
            f" PRIMARY KEY ({', '.join(key)}))"
        )
        placeholders = ", ".join("?" * len(names))
        self._insert = f"INSERT INTO {name} ({', '.join(names)}) VALUES ({placeholders})"
        # Not REPLACE: that changes the row's rowid, so a search in progress would miss the row.
        changes = ", ".join(f"{column} = excluded.{column}" for column in names[key_length:])
        self._put = f"{self._insert} ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes}"
        sets = ", ".join(f"{column} = ?" for column in names[key_length:])
        self._replace = f"UPDATE {name} SET {sets} WHERE {self._key}"
        self._key_length = key_length
        self._select = ", ".join(names[len(columns) :])

    def index(self, *columns: str, where: str = "") -> None:
        """Make an index on columns; those of the key are added, as ties are sorted by them."""
        name = f"{self._name}_by_{'_'.join(columns)}"
        listed = ", ".join(dict.fromkeys([*columns, self._columns[0]]))
        condition = f" WHERE {where}" if where else ""
        self._database.execute(
            f"CREATE INDEX IF NOT EXISTS {name} ON {self._name} ({listed}){condition}"
        )

    # One document.

    async def insert(self, document: Document) -> None:
        """Add a document. Raises KeyTaken if there is one with its key."""
        try:
            await self._write(self._insert, document)
        except sqlite3.IntegrityError:
            key = document[self._columns[0]]
            raise KeyTaken(f"{self._name}: {key} exists already") from None

    async def put(self, document: Document) -> None:
        """Add a document, or replace the one with its key."""
        await self._write(self._put, document)

    async def replace(self, document: Document) -> bool:
        """Replace the document with its key. Return False if there is none any more."""
        row = row_of(document, self._columns, self._apart)
        values = row[self._key_length :] + row[: self._key_length]
        return await self._database.write(self._replace, values) > 0

    async def _write(self, statement: str, document: Document) -> None:
        await self._database.write(statement, row_of(document, self._columns, self._apart))

    async def get(self, *key: object) -> Document | None:
        """Return a document by its key."""
        values = [_bounded(value) for value in key]
        query = f"SELECT {self._select} FROM {self._name} WHERE {self._key}"
        row = self._database.row(query, values)
        return None if row is None else self._reader.one(key, row)

    async def get_stored(self, *key: object) -> Document | None:
        """Return a document by its key. Here, nothing is encrypted."""
        return await self.get(*key)

    async def delete(self, *key: object) -> bool:
        """Delete a document by its key. Return whether it existed."""
        values = [_bounded(value) for value in key]
        statement = f"DELETE FROM {self._name} WHERE {self._key}"
        return await self._database.write(statement, values) > 0

    async def delete_where(self, **fields: object) -> None:
        """Delete the documents whose fields have these values."""
        condition, values = self._where(fields)
        await self._database.write(f"DELETE FROM {self._name} WHERE {condition}", values)

    # Many.

    async def search(
        self,
        *,
        where: Mapping[str, object] | None = None,
        contains: Mapping[str, object] | None = None,
        any_of: Sequence[Mapping[str, object]] | None = None,
        text: Mapping[str, str] | None = None,
        order_by: str | None = None,
        descending: bool = False,
        limit: int | None = None,
        offset: int = 0,
        fields: Collection[str] | None = None,
    ) -> list[Document]:
        """Return documents; see `protocol.Documents.search`."""
        order = self._order(order_by, "DESC" if descending else "ASC")
        count = MAX_INTEGER if limit is None else min(limit, MAX_INTEGER)
        page = (count, min(offset, MAX_INTEGER))
        self._look_again()
        while True:
            known = set(self._reader.damaged)
            if contains or any_of is not None or text:
                filters = _Filters(contains or {}, any_of, text or {})
                condition, values = self._undamaged(where or {}, fields)
                rowids = await self._filtered((condition, values), filters, order, page)
                holds, held = self._condition(filters)
                found = (f"{condition} AND {holds}", [*values, *held])
                documents = await self._read(rowids, found, fields)
            else:
                documents = await self._unfiltered(where or {}, order, page, fields)
            if self._reader.damaged <= known:
                return documents
            # A damaged row was found. Without it, the page has one more.

    async def _unfiltered(
        self,
        where: Mapping[str, object],
        order: str,
        page: tuple[int, int],
        fields: Collection[str] | None,
    ) -> list[Document]:
        condition, values = self._undamaged(where, fields)
        tail = f"FROM {self._name} WHERE {condition} ORDER BY {order} LIMIT ? OFFSET ?"
        if page[0] <= _FIRST_BATCH or columns_of(fields, self._columns):
            rows = self._database.rows(f"SELECT {self._selected(fields)} {tail}", (*values, *page))
            return self._documents(rows, fields)
        rows = self._database.rows(f"SELECT rowid {tail}", (*values, *page))
        return await self._read(_numbers(rows), (condition, values), fields)

    async def _filtered(
        self,
        where: tuple[str, list[object]],
        filters: _Filters,
        order: str,
        page: tuple[int, int],
    ) -> list[int]:
        """Return the rows of a page of those that a filter holds for.

        The filter is not part of the query: it may read large columns of every row, and a query
        cannot yield to the event loop. `_matching` applies it in batches.
        """
        condition, values = where
        query = f"SELECT rowid FROM {self._name} WHERE {condition} ORDER BY {order} LIMIT ?"
        count, start = page
        enough = start + count
        # The first batch is often enough. All candidates are listed only if it is not.
        first = self._database.rows(query, (*values, _FIRST_BATCH))
        rowids = await self._matching(_numbers(first), filters, enough)
        if len(rowids) < enough and len(first) == _FIRST_BATCH:
            every = self._database.rows(query, (*values, MAX_INTEGER))
            rowids = await self._matching(_numbers(every), filters, enough)
        return rowids[start:enough]

    async def count(
        self,
        *,
        where: Mapping[str, object] | None = None,
        contains: Mapping[str, object] | None = None,
        any_of: Sequence[Mapping[str, object]] | None = None,
        text: Mapping[str, str] | None = None,
    ) -> int:
        """Return how many documents there are."""
        condition, values = self._where(where or {})
        if not (contains or any_of is not None or text):
            query = f"SELECT COUNT(*) FROM {self._name} WHERE {condition}"
            return int(self._database.row(query, values)[0])
        query = f"SELECT rowid FROM {self._name} WHERE {condition}"
        candidates = _numbers(self._database.rows(query, values))
        filters = _Filters(contains or {}, any_of, text or {})
        return len(await self._matching(candidates, filters, len(candidates)))

    async def _matching(
        self, candidates: Sequence[int], filters: _Filters, enough: int
    ) -> list[int]:
        """Return the candidates that a filter holds for, in their order, until there are enough.

        The filter may have to read the state of every thread. So rows are checked in batches of a
        few milliseconds, between which the event loop can do other work.
        """
        rowids: list[int] = []
        start, size = 0, _FIRST_BATCH
        while start < len(candidates) and len(rowids) < enough:
            if start:
                await self._database.pause()
            batch = candidates[start : start + size]
            start += size
            began = time.perf_counter()
            matching = set(_numbers(self._matches(batch, filters)))
            rowids += [rowid for rowid in batch if rowid in matching]
            taken = time.perf_counter() - began
            # At most twice as many: the rows of a quick batch say little about those after it.
            size = max(1, min(int(size * _BURST / max(taken, _BURST / 2)), _LARGEST_BATCH))
        return rowids

    def _matches(self, batch: Sequence[int], filters: _Filters) -> list[tuple[int]]:
        """Return the rows of a batch that a filter holds for."""
        within = f"FROM {self._name} WHERE rowid IN (SELECT value FROM json_each(?))"
        rowids = encode(batch).decode()
        condition, values = self._condition(filters)
        try:
            return self._database.rows(f"SELECT rowid {within} AND {condition}", (rowids, *values))
        except DamagedJson as error:  # One such row makes the whole query fail.
            used = ["doc" if field not in self._apart else f'"{field}"' for field in filters.fields]
            is_valid = " AND ".join(f"json_valid(coalesce({column}, 'null'))" for column in used)
            query = f"SELECT {self._key_text} {within} AND NOT ({is_valid})"
            for (key,) in self._database.rows(query, (rowids,)):
                self._reader.note_damage(key, error)
        query = f"SELECT rowid {within} AND CASE WHEN {is_valid} THEN {condition} END"
        return self._database.rows(query, (rowids, *values))

    async def _read(
        self,
        rowids: Sequence[int],
        where: tuple[str, list[object]],
        fields: Collection[str] | None,
    ) -> list[Document]:
        """Return the documents in these rows that still meet the conditions of the search."""
        # They are checked again: other tasks have run since the search found the rows. SQLite gives
        # the rowid of a deleted row to a new one, which may be another user's document. Many in one
        # query: a condition may have a thousand ids, which SQLite reads anew for each query.
        condition, values = where
        # Not by an index of a condition: SQLite would look at all rows there for each batch.
        query = (
            f"SELECT {self._selected(fields)}, rowid FROM {self._name} NOT INDEXED"
            f" WHERE rowid IN (SELECT value FROM json_each(?)) AND {condition}"
        )
        documents: list[Document] = []
        start, count, size = 0, 1, 0
        while start < len(rowids):
            batch = rowids[start : start + count]
            start += count
            rows = self._database.rows(query, (encode(batch).decode(), *values))
            by_rowid = {row[-1]: row[:-1] for row in rows}
            kept = [by_rowid[rowid] for rowid in batch if rowid in by_rowid]
            documents += self._documents(kept, fields)
            size += sum(len(text) for row in rows for text in row if isinstance(text, str))
            count = min(2 * count, 4 * _FIRST_BATCH)
            if size > _BURST_BYTES:
                # Fewer at a time, as they are large.
                count = max(1, count * _BURST_BYTES // (4 * size))
                size = 0
                await self._database.pause()
        return documents

    def _documents(
        self, rows: Sequence[Sequence[Any]], fields: Collection[str] | None
    ) -> list[Document]:
        """Return the documents of rows with the columns of `_selected`."""
        if columns := columns_of(fields, self._columns):
            return [dict(zip(columns, row, strict=True)) for row in rows]
        return self._reader.many(rows, fields)

    def _look_again(self) -> None:
        """Look at the rows that were damaged: the offset of a page counts all others."""
        if self._reader.damaged:
            # `OR` serves those without a key, and leaves the index to all others.
            is_known = f"{self._reader.key} IN (SELECT value FROM json_each(?))"
            is_known += f" OR {self._reader.key} IS NULL" if "" in self._reader.damaged else ""
            query = f"SELECT {self._selected(None)} FROM {self._name} WHERE {is_known}"
            rows = self._database.rows(query, (self._damaged(),))
            self._reader.look_again(list(self._reader.damaged), rows)

    # SQL.

    def _undamaged(
        self, where: Mapping[str, object], fields: Collection[str] | None
    ) -> tuple[str, list[object]]:
        """Return the condition of `_where`, without the rows that are known to be damaged."""
        condition, values = self._where(where)
        if self._reader.damaged and not columns_of(fields, self._columns):
            condition += f" AND {self._key_text} NOT IN (SELECT value FROM json_each(?))"
            values.append(self._damaged())
        return condition, values

    def _damaged(self) -> str:
        return encode(list(self._reader.damaged)).decode()

    def _selected(self, fields: Collection[str] | None) -> str:
        """Return the columns to read for some fields."""
        if columns := columns_of(fields, self._columns):
            return ", ".join(columns)
        columns = [self._key_text, "doc"]
        for field in self._apart:
            columns.append(f'"{field}"' if fields is None or field in fields else "NULL")
        return ", ".join(columns)

    def _where(self, wanted: Mapping[str, object]) -> tuple[str, list[object]]:
        parts = ["1"]
        values: list[object] = []
        for field, value in wanted.items():
            if isinstance(value, (list, tuple)):
                # As one parameter: there may be more than SQLite takes.
                parts.append(f"{self._column(field)} IN (SELECT value FROM json_each(?))")
                values.append(encode(value).decode())
            else:
                parts.append(f"{self._column(field)} = ?")
                values.append(_bounded(value))
        return " AND ".join(parts), values

    def _condition(self, filters: _Filters) -> tuple[str, list[object]]:
        parts: list[str] = []
        values: list[object] = []
        for field, part in filters.text.items():
            condition, parameters = text_condition(self._column(field), part)
            parts.append(condition)
            values += parameters
        condition, parameters = self._contains(filters.contains)
        if condition != "1":
            parts.append(condition)
            values += parameters
        if filters.any_of is not None:
            conditions = [self._contains(alternative) for alternative in filters.any_of]
            parts.append(f"({' OR '.join(f'({condition})' for condition, _ in conditions) or '0'})")
            for _, parameters in conditions:
                values += parameters
        return " AND ".join(parts) or "1", values

    def _contains(self, contains: Mapping[str, object]) -> tuple[str, list[object]]:
        parts: list[str] = []
        values: list[object] = []
        for field, wanted in contains.items():
            if field in self._apart:
                condition, parameters = contains_condition(f'"{field}"', wanted)
            else:
                condition, parameters = contains_condition("doc", {field: wanted})
            parts.append(condition)
            values += parameters
        return " AND ".join(parts) or "1", values

    def _column(self, field: str) -> str:
        """Return the column of a field, or the expression that reads it from the document."""
        if not field.isidentifier():
            raise ValueError(f"{field!r} is not the name of a field")
        if field in self._columns:
            return field
        # json_extract of one damaged document would make the whole query fail.
        return f"CASE WHEN json_valid(doc) THEN json_extract(doc, '$.{field}') END"

    def _order(self, field: str | None, direction: str) -> str:
        ties = f"{self._columns[0]} {direction}"
        if field is None:
            return ties
        collation = " COLLATE NOCASE" if field in _WITHOUT_CASE else ""
        return f"{self._column(field)}{collation} {direction}, {ties}"


def _numbers(rows: Sequence[tuple[int]]) -> list[int]:
    return [row[0] for row in rows]


def _bounded(value: object) -> object:
    """Return a value that SQLite takes; an integer that is too large is as large as possible."""
    if isinstance(value, int):
        return max(-MAX_INTEGER, min(value, MAX_INTEGER))
    return value


class Runs(Table):
    """The runs."""

    async def unfinished(self) -> list[Document]:
        """Return the runs that are pending or running, oldest first."""
        return await self.search(where={"status": UNFINISHED}, order_by="created_at")

    async def graph_ids(self, thread_id: str) -> list[object]:
        """Return the different graph ids of a thread's runs."""
        # Here and not in Python, because the documents have the inputs of the runs, too.
        graph_id = "json_extract(doc, '$.metadata.graph_id')"
        query = (
            f"SELECT DISTINCT CASE WHEN json_valid(doc) THEN {graph_id} END FROM runs"
            " WHERE thread_id = ?"
        )
        return [row[0] for row in self._database.rows(query, (thread_id,))]
