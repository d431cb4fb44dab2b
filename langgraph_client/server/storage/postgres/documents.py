"""Tables of JSON documents; see `protocol.Documents`.

A table has a column for each field to sort and to look up by, one for each field that is large or
searched by its content, and one for the rest of the document. Documents are stored as text, because
jsonb loses the order of keys and refuses some strings. Searches convert the text to jsonb.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from langgraph_client.server.encoding import encode
from langgraph_client.server.errors import Invalid
from langgraph_client.server.storage.document_rows import RowReader, columns_of, row_of
from langgraph_client.server.storage.postgres.connections import Connections, Executor, Place, Row
from langgraph_client.server.storage.protocol import UNFINISHED, Document

MAX_INTEGER = 2**63 - 1
_WITHOUT_CASE = ("name", "graph_id")
_NEVER_NULL = ("created_at", "updated_at", "state_updated_at", "expires_at", "due_at")


class Table:
    """Documents of one kind.

    Args:
        executor: Executes statements.
        name: The table's name.
        columns: The fields to sort and to look up by. The first ones are the key.
        apart: The fields with a column of their own, as JSON.
        key_length: How many of `columns` are the key.
        damaged: The keys of damaged rows of each table, as far as known.
    """

    def __init__(
        self,
        executor: Executor,
        name: str,
        columns: Sequence[str],
        *,
        apart: Sequence[str] = (),
        key_length: int = 1,
        damaged: dict[str, set[str]],
    ) -> None:
        self._executor = executor
        self._name = name
        self._columns = tuple(columns)
        self._apart = tuple(apart)
        self._key_length = key_length
        key = columns[:key_length]
        self._reader = RowReader(name, key, apart, damaged.setdefault(name, set()))
        self._key = " AND ".join(f"{column} = %s" for column in key)
        names = [*columns, "doc", *(f'"{field}"' for field in apart)]
        placeholders = ", ".join(["%s"] * len(names))
        self._insert = f"INSERT INTO {name} ({', '.join(names)}) VALUES ({placeholders})"
        changes = ", ".join(f"{column} = excluded.{column}" for column in names[key_length:])
        #: The columns of a whole document, and the statement that reads one.
        self.selected = self._selected(None)
        self.get_statement = f"SELECT {self.selected} FROM {name} WHERE {self._key}"
        self._put = f"{self._insert} ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes}"
        sets = ", ".join(f"{column} = %s" for column in names[key_length:])
        self._replace = f"UPDATE {name} SET {sets} WHERE {self._key}"

    # One document.

    async def insert(self, document: Document) -> None:
        """Add a document. Raises KeyTaken if there is one with its key."""
        # A transaction may delay this statement: then a later one or the commit raises `KeyTaken`.
        row = self._row(document)
        await self._executor.write(self._insert, row, place=self._place(row))

    async def put(self, document: Document) -> None:
        """Add a document, or replace the one with its key."""
        row = self._row(document)
        await self._executor.write(self._put, row, place=self._place(row))

    async def replace(self, document: Document) -> bool:
        """Replace the document with its key. Return False if there is none any more."""
        row = self._row(document)
        values = row[self._key_length :] + row[: self._key_length]
        return await self._executor.execute(self._replace, values) > 0

    def _place(self, row: list[object]) -> Place:
        return Place(self._name, tuple(row[: self._key_length]))

    def _row(self, document: Document) -> list[object]:
        row = row_of(document, self._columns, self._apart)
        count = len(self._columns)
        return [*map(_bounded, row[:count]), *row[count:]]

    async def get(self, *key: object) -> Document | None:
        """Return a document by its key."""
        row = await self._executor.row(self.get_statement, [_bounded(value) for value in key])
        return None if row is None else self._reader.one(key, row)

    async def get_stored(self, *key: object) -> Document | None:
        """Return a document by its key. Here, nothing is encrypted."""
        return await self.get(*key)

    async def delete(self, *key: object) -> bool:
        """Delete a document by its key. Return whether it existed."""
        statement = f"DELETE FROM {self._name} WHERE {self._key}"
        return await self._executor.execute(statement, [_bounded(value) for value in key]) > 0

    async def delete_where(self, **fields: object) -> None:
        """Delete the documents whose fields have these values."""
        condition, values = self._where(fields)
        statement = f"DELETE FROM {self._name} WHERE {condition}"
        await self._executor.write(statement, values, place=Place(self._name, deletes=True))

    # Many.

    async def search(
        self,
        *,
        where: Mapping[str, object] | None = None,
        contains: Mapping[str, Any] | None = None,
        any_of: Sequence[Mapping[str, Any]] | None = None,
        text: Mapping[str, str] | None = None,
        order_by: str | None = None,
        descending: bool = False,
        limit: int | None = None,
        offset: int = 0,
        fields: Collection[str] | None = None,
    ) -> list[Document]:
        """Return documents; see `protocol.Documents.search`."""
        condition, values = self._condition(where, contains, any_of, text)
        order = self._order(order_by, descending, by_index="lc_jsonb(" not in condition)
        tail = f" ORDER BY {order} LIMIT %s OFFSET %s"
        count = MAX_INTEGER if limit is None else min(limit, MAX_INTEGER)
        page = (count, min(offset, MAX_INTEGER))
        if columns := columns_of(fields, self._columns):  # Documents need not be read.
            rows = await self._rows(", ".join(columns), condition, tail, (*values, *page))
            return [dict(zip(columns, row, strict=True)) for row in rows]
        selected = f"{self._reader.key}, {self._selected(fields)}"
        await self._look_again()
        while True:
            damaged = list(self._reader.damaged)
            without = f" AND NOT {self._reader.key} = ANY(%s)" if damaged else ""
            values_of_page = (*values, *([damaged] if damaged else []), *page)
            rows = await self._rows(selected, condition + without, tail, values_of_page)
            documents = self._reader.many(rows, fields)
            if self._reader.damaged <= set(damaged):
                return documents
            # A damaged row was found. Without it, the page has one more.

    async def count(
        self,
        *,
        where: Mapping[str, object] | None = None,
        contains: Mapping[str, Any] | None = None,
        any_of: Sequence[Mapping[str, Any]] | None = None,
        text: Mapping[str, str] | None = None,
    ) -> int:
        """Return how many documents there are."""
        condition, values = self._condition(where, contains, any_of, text)
        [row] = await self._rows("count(*)", condition, "", values)
        return int(row[0])

    async def _rows(
        self, selected: str, condition: str, tail: str, values: Sequence[object]
    ) -> list[Row]:
        """Return columns of the rows that a condition holds for.

        A condition that looks into JSON fails as a whole at one damaged row. Then it is asked of
        the others only, which is slower.
        """
        query = f"SELECT {selected} FROM {self._name} WHERE "
        try:
            return await self._executor.rows(query + condition + tail, values)
        except Invalid as error:
            if not isinstance(self._executor, Connections):  # A transaction has failed with it.
                raise
            is_valid = await self._note_damage(error)
        guarded = f"CASE WHEN {is_valid} THEN {condition} ELSE false END"
        return await self._executor.rows(query + guarded + tail, values)

    async def _note_damage(self, error: Invalid) -> str:
        """Note the damaged rows, which made a query fail. Return the condition for all others.

        Raises:
            Invalid: There is none: the query itself is refused.
        """
        columns = ("doc", *(f'"{field}"' for field in self._apart))
        is_valid = " AND ".join(f"lc_is_json({column})" for column in columns)
        rows = await self._executor.rows(
            f"SELECT {self._reader.key} FROM {self._name} WHERE NOT ({is_valid})"
        )
        if not rows:
            raise error
        for (key,) in rows:
            self._reader.note_damage(key, error)
        return is_valid

    async def _look_again(self) -> None:
        """Look at the rows that were damaged: the offset of a page counts all others."""
        if damaged := list(self._reader.damaged):
            selected = f"{self._reader.key}, {self.selected}"
            query = f"SELECT {selected} FROM {self._name} WHERE {self._reader.key} = ANY(%s)"
            self._reader.look_again(damaged, await self._executor.rows(query, (damaged,)))

    # SQL.

    def _selected(self, fields: Collection[str] | None) -> str:
        """Return the columns to read for some fields."""
        columns = ["doc"]
        for field in self._apart:
            columns.append(f'"{field}"' if fields is None or field in fields else "NULL")
        return ", ".join(columns)

    def _condition(
        self,
        where: Mapping[str, object] | None,
        contains: Mapping[str, Any] | None,
        any_of: Sequence[Mapping[str, Any]] | None,
        text: Mapping[str, str] | None,
    ) -> tuple[str, list[object]]:
        condition, values = self._where(where or {})
        parts = [condition]
        for field, part in (text or {}).items():
            # In the database's collation: that of the columns, "C", has the letters of ASCII only.
            lowered = f'lower({self._text(field)} COLLATE "default")'
            parts.append(f'position(lower(%s COLLATE "default") in {lowered}) > 0')
            values.append(_without_nul(part))
        holds, held = self._contains(contains or {})
        parts.append(holds)
        values += held
        if any_of is not None:
            alternatives = [self._contains(alternative) for alternative in any_of]
            parts.append(
                f"({' OR '.join(f'({condition})' for condition, _ in alternatives) or 'false'})"
            )
            for _, held in alternatives:
                values += held
        return " AND ".join(parts), values

    def _where(self, wanted: Mapping[str, object]) -> tuple[str, list[object]]:
        parts = ["true"]
        values: list[object] = []
        for field, value in wanted.items():
            several = isinstance(value, (list, tuple))
            if field in self._columns:
                parts.append(f"{field} = ANY(%s)" if several else f"{field} = %s")
                values.append(
                    [_bounded(item) for item in value]
                    if isinstance(value, (list, tuple))
                    else _bounded(value)
                )
            elif several:
                parts.append(f"{self._json(field)} IN (SELECT jsonb_array_elements(lc_jsonb(%s)))")
                values.append(encode(value).decode())
            else:
                parts.append(f"{self._json(field)} = lc_jsonb(%s)")
                values.append(encode(value).decode())
        return " AND ".join(parts), values

    def _contains(self, contains: Mapping[str, Any]) -> tuple[str, list[object]]:
        parts = ["true"]
        values: list[object] = []
        for field, wanted in contains.items():
            # As a member of an object: jsonb lets a bare list contain a bare value.
            if field in self._apart and isinstance(wanted, dict):
                parts.append(f'lc_jsonb("{field}") @> lc_jsonb(%s)')
                values.append(encode(wanted).decode())
            elif field in self._apart:
                parts.append(f"jsonb_build_object('x', lc_jsonb(\"{field}\")) @> lc_jsonb(%s)")
                values.append(encode({"x": wanted}).decode())
            else:
                parts.append("lc_jsonb(doc) @> lc_jsonb(%s)")
                values.append(encode({field: wanted}).decode())
        return " AND ".join(parts), values

    def _json(self, field: str) -> str:
        if not field.isidentifier():
            raise ValueError(f"{field!r} is not the name of a field")
        return f"(lc_jsonb(doc) -> '{field}')"

    def _text(self, field: str) -> str:
        return field if field in self._columns else f"({self._json(field)} #>> '{{}}')"

    def _order(self, field: str | None, descending: bool, *, by_index: bool) -> str:
        """Return the order of a search. Nulls count as the least, as in SQLite.

        Args:
            field: The field to sort by; None for the key.
            descending: Whether the greatest comes first.
            by_index: Whether PostgreSQL may read the rows in the order of an index, which serves an
                order without a word on nulls only. If it must look into JSON, it would look into
                too many rows, because it expects to find some soon.
        """
        plain = "DESC" if descending else "ASC"
        direction = f"{plain} NULLS {'LAST' if descending else 'FIRST'}"
        if by_index and (field is None or field in _NEVER_NULL):
            direction = plain
        ties = f"{self._columns[0]} {direction}"
        if field is None:
            return ties
        if field in _WITHOUT_CASE:
            return f'lower({self._text(field)}) COLLATE "C" {direction}, {ties}'
        column = field if field in self._columns else self._json(field)
        return f"{column} {direction}, {ties}"


def _bounded(value: object) -> object:
    """Return a value that PostgreSQL accepts: 64-bit integers, and text without NUL."""
    if isinstance(value, int) and not isinstance(value, bool):
        return max(-MAX_INTEGER, min(value, MAX_INTEGER))
    return _without_nul(value) if isinstance(value, str) else value


def _without_nul(text: str) -> str:
    return text.replace("\x00", "\ufffd")


class Runs(Table):
    """The runs."""

    async def unfinished(self) -> list[Document]:
        """Return the runs that are pending or running, oldest first."""
        return await self.search(where={"status": UNFINISHED}, order_by="created_at")

    async def graph_ids(self, thread_id: str) -> list[object]:
        """Return the different graph ids of a thread's runs."""
        # As json: to convert all of the document to jsonb takes nearly twice as long.
        body = r"replace(doc, '\u0000', '\ufffd')::json"
        rows = await self._executor.rows(
            f"SELECT DISTINCT {body} #>> '{{metadata,graph_id}}' FROM runs WHERE thread_id = %s",
            (thread_id,),
        )
        return [row[0] for row in rows]
