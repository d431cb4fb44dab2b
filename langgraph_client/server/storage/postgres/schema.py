"""The schema: numbered steps, forward only."""

from __future__ import annotations

from langgraph_client.server.storage.postgres.connections import (
    FENCED,
    Batch,
    Connections,
    DatabaseError,
    lock_number,
)

_DOCUMENTS = """
CREATE TABLE {name} ({columns}, doc text NOT NULL{apart}, PRIMARY KEY ({key}))
"""


def _table(
    name: str, columns: str, *, key: str, apart: tuple[str, ...] = (), numbers: tuple[str, ...] = ()
) -> str:
    kinds = [
        f"{column} {'bigint' if column in numbers else 'text COLLATE ' + chr(34) + 'C' + chr(34)}"
        for column in columns.split()
    ]
    listed = "".join(f', "{field}" text' for field in apart)
    return _DOCUMENTS.format(name=name, columns=", ".join(kinds), apart=listed, key=key)


_MIGRATIONS: list[list[str]] = [
    [
        # JSON text may contain a NUL, which jsonb cannot. Both sides of a comparison go through
        # this function, so that they are equal nevertheless.
        r"""
CREATE FUNCTION lc_jsonb(body text) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT replace(body, '\u0000', '\ufffd')::jsonb $$
""",
        _table(
            "assistants",
            "assistant_id graph_id name created_at updated_at",
            key="assistant_id",
            apart=("metadata",),
        ),
        _table(
            "assistant_versions",
            "assistant_id version",
            key="assistant_id, version",
            apart=("metadata",),
            numbers=("version",),
        ),
        _table(
            "threads",
            "thread_id status created_at updated_at state_updated_at",
            key="thread_id",
            apart=("metadata", "interrupts", "values"),
        ),
        _table("runs", "run_id thread_id assistant_id status created_at", key="run_id"),
        _table(
            "crons",
            "cron_id assistant_id thread_id next_run_date created_at updated_at",
            key="cron_id",
            apart=("metadata",),
        ),
        _table("thread_ttls", "thread_id expires_at", key="thread_id"),
        _table("idempotency_keys", "key created_at", key="key"),
        _table("idempotency_answers", "key created_at", key="key"),
        _table("run_controls", "run_id thread_id", key="run_id"),
        "CREATE INDEX ON assistants (graph_id)",
        "CREATE INDEX ON assistants (created_at, assistant_id)",
        "CREATE INDEX ON threads (updated_at, thread_id)",
        "CREATE INDEX ON threads (created_at, thread_id)",
        "CREATE INDEX ON threads (state_updated_at, thread_id)",
        "CREATE INDEX ON threads (status, updated_at)",
        "CREATE INDEX ON threads USING gin (lc_jsonb(metadata) jsonb_path_ops)",
        "CREATE INDEX ON runs (thread_id, created_at)",
        "CREATE INDEX ON runs (assistant_id)",
        "CREATE INDEX runs_unfinished ON runs (created_at) WHERE status IN ('pending', 'running')",
        "CREATE INDEX ON crons (next_run_date)",
        "CREATE INDEX ON crons (assistant_id)",
        "CREATE INDEX ON crons (thread_id)",
        "CREATE INDEX ON thread_ttls (expires_at)",
        "CREATE INDEX ON idempotency_keys (created_at)",
        "CREATE INDEX ON idempotency_answers (created_at)",
        "CREATE INDEX ON run_controls (thread_id)",
        """
CREATE TABLE events (
    run_id text COLLATE "C" NOT NULL, ms bigint NOT NULL, seq bigint NOT NULL,
    thread_id text COLLATE "C" NOT NULL, name text NOT NULL, data bytea NOT NULL,
    PRIMARY KEY (run_id, ms, seq))
""",
        "CREATE INDEX ON events (thread_id, ms, seq)",
        "CREATE INDEX ON events (ms, seq)",
        "CREATE INDEX ON events (ms) WHERE name = 'run_done'",
        """
CREATE TABLE protocol_events (
    thread_id text COLLATE "C" NOT NULL, seq bigint NOT NULL, run_id text COLLATE "C" NOT NULL,
    ms bigint NOT NULL, name text NOT NULL, data bytea NOT NULL, PRIMARY KEY (thread_id, seq))
""",
        "CREATE INDEX ON protocol_events (run_id, seq)",
        "CREATE INDEX ON protocol_events (ms) WHERE name IN"
        " ('lifecycle:completed', 'lifecycle:failed', 'lifecycle:interrupted')",
        """
CREATE TABLE script_states (
    thread_id text COLLATE "C" NOT NULL, id text COLLATE "C" NOT NULL, run_id text,
    doc bytea NOT NULL, PRIMARY KEY (thread_id, id))
""",
        # The processes that execute runs, and the threads that they hold.
        "CREATE SEQUENCE lease_epochs",
        """
CREATE TABLE processes (
    process_id text COLLATE "C" PRIMARY KEY, renewed_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL, lock_number bigint NOT NULL)
""",
        """
CREATE TABLE leases (
    thread_id text COLLATE "C" PRIMARY KEY, process_id text COLLATE "C" NOT NULL,
    epoch bigint NOT NULL)
""",
        "CREATE INDEX ON leases (process_id)",
        # The processes that follow runs or threads of other processes.
        """
CREATE TABLE followers (
    thread_id text COLLATE "C" NOT NULL, run_id text COLLATE "C" NOT NULL,
    kind text NOT NULL, process_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (thread_id, run_id, kind, process_id))
""",
        "CREATE INDEX ON followers (run_id)",
        "CREATE INDEX ON followers (process_id)",
        """
CREATE TABLE run_results (
    run_id text COLLATE "C" PRIMARY KEY, doc text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now())
""",
        "CREATE INDEX ON run_results (created_at)",
    ],
    [
        _table("webhook_deliveries", "run_id due_at", key="run_id", apart=("body",)),
        "CREATE INDEX ON webhook_deliveries (due_at)",
    ],
    [
        # Functions, because their exception makes a statement with many parts fail as a whole. With
        # FOR SHARE, a process that takes the lease over waits until the writing transaction has
        # ended.
        f"""
CREATE FUNCTION lc_fence(thread text, held bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM leases WHERE thread_id = thread AND epoch = held FOR SHARE;
    IF NOT FOUND THEN RAISE EXCEPTION 'no lease' USING ERRCODE = '{FENCED}'; END IF;
    RETURN true;
END $$
""",
        f"""
CREATE FUNCTION lc_release(thread text, held bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM leases WHERE thread_id = thread AND epoch = held;
    IF NOT FOUND THEN RAISE EXCEPTION 'no lease' USING ERRCODE = '{FENCED}'; END IF;
    RETURN true;
END $$
""",
        f"""
CREATE FUNCTION lc_take(thread text, process text, last bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE taken bigint;
BEGIN
    INSERT INTO leases AS held (thread_id, process_id, epoch)
    VALUES (thread, process, nextval('lease_epochs'))
    ON CONFLICT (thread_id) DO UPDATE SET process_id = excluded.process_id,
    epoch = excluded.epoch WHERE held.epoch = last RETURNING held.epoch INTO taken;
    IF taken IS NULL THEN RAISE EXCEPTION 'no lease' USING ERRCODE = '{FENCED}'; END IF;
    RETURN taken;
END $$
""",
    ],
    [
        # The threads that are being deleted: new runs on them are refused.
        """
CREATE TABLE deletions (
    thread_id text COLLATE "C" PRIMARY KEY, expires_at timestamptz NOT NULL)
""",
        # A transaction that writes for a run has locked the row of the lease. So this waits for its
        # commit, and the thread's deletion then includes its rows. A later one finds no lease, and
        # writes nothing.
        """
CREATE FUNCTION lc_revoke(thread text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM leases WHERE thread_id = thread;
    DELETE FROM deletions WHERE thread_id = thread;
    RETURN true;
END $$
""",
        # A function, because each of its statements sees all earlier commits. So it also deletes
        # rows that others have written while this transaction waited for a lock.
        """
CREATE FUNCTION lc_delete_thread(thread text, keeps_events boolean, has_checkpoints boolean)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM runs WHERE thread_id = thread;
    DELETE FROM crons WHERE thread_id = thread;
    DELETE FROM thread_ttls WHERE thread_id = thread;
    DELETE FROM run_controls WHERE thread_id = thread;
    DELETE FROM threads WHERE thread_id = thread;
    IF NOT keeps_events THEN DELETE FROM events WHERE thread_id = thread; END IF;
    DELETE FROM protocol_events WHERE thread_id = thread;
    DELETE FROM script_states WHERE thread_id = thread;
    IF has_checkpoints THEN
        DELETE FROM checkpoints WHERE thread_id = thread;
        DELETE FROM checkpoint_blobs WHERE thread_id = thread;
        DELETE FROM checkpoint_writes WHERE thread_id = thread;
    END IF;
    RETURN true;
END $$
""",
    ],
    [
        # Since then, replaced writes are kept apart.
        """
CREATE OR REPLACE FUNCTION
lc_delete_thread(thread text, keeps_events boolean, has_checkpoints boolean)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM runs WHERE thread_id = thread;
    DELETE FROM crons WHERE thread_id = thread;
    DELETE FROM thread_ttls WHERE thread_id = thread;
    DELETE FROM run_controls WHERE thread_id = thread;
    DELETE FROM threads WHERE thread_id = thread;
    IF NOT keeps_events THEN DELETE FROM events WHERE thread_id = thread; END IF;
    DELETE FROM protocol_events WHERE thread_id = thread;
    DELETE FROM script_states WHERE thread_id = thread;
    IF has_checkpoints THEN
        DELETE FROM checkpoints WHERE thread_id = thread;
        DELETE FROM checkpoint_blobs WHERE thread_id = thread;
        DELETE FROM checkpoint_writes WHERE thread_id = thread;
        DELETE FROM replaced_writes WHERE thread_id = thread;
    END IF;
    RETURN true;
END $$
""",
    ],
    [
        # Whether a text is JSON, so that queries can look into all but damaged documents.
        """
CREATE FUNCTION lc_is_json(body text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    PERFORM lc_jsonb(body);
    RETURN true;
EXCEPTION WHEN data_exception THEN
    RETURN false;
END $$
""",
    ],
]
SCHEMA_VERSION = len(_MIGRATIONS)
WRITE = (
    "thread_id, checkpoint_ns, checkpoint_id, task_id, idx, channel, type, blob, task_path, written"
)
"""The columns of a task's write."""
REPLACED_WRITES = """
CREATE TABLE IF NOT EXISTS replaced_writes (
    thread_id text NOT NULL, checkpoint_ns text NOT NULL, checkpoint_id text NOT NULL,
    task_id text NOT NULL, idx integer NOT NULL, channel text NOT NULL, type text,
    blob bytea NOT NULL, task_path text NOT NULL, written bigint NOT NULL,
    PRIMARY KEY (thread_id, written))
"""
"""Earlier values of replaced writes, by which a rollback restores them. Not in the migrations,
because it exists only together with langgraph's tables."""


async def migrate(connections: Connections) -> None:
    """Bring the schema up to date, one process at a time.

    Raises:
        DatabaseError: A newer version of the program has changed the schema.
    """
    async with connections.transaction() as transaction:
        if await _version(transaction) == SCHEMA_VERSION:
            return
    async with connections.transaction() as transaction:
        await transaction.execute(f"SELECT pg_advisory_xact_lock({lock_number('schema')})")
        version = await _version(transaction)
        if version > SCHEMA_VERSION:
            raise DatabaseError(
                f"the database has schema {version}, written by a newer version of"
                f" langgraph_client; this one knows {SCHEMA_VERSION}"
            )
        if version == 0:
            await transaction.execute(
                "CREATE TABLE IF NOT EXISTS schema_migrations (version integer PRIMARY KEY,"
                " applied_at timestamptz NOT NULL DEFAULT now())"
            )
        for number, steps in enumerate(_MIGRATIONS[version:], start=version + 1):
            for step in steps:
                await transaction.execute(step)
            await transaction.execute(
                "INSERT INTO schema_migrations (version) VALUES (%s)", (number,)
            )


async def _version(transaction: Batch) -> int:
    # Not `to_regclass`: its cache may be older than the wait for the lock.
    exists = await transaction.row(
        "SELECT count(*) FROM pg_class WHERE relname = 'schema_migrations'"
        " AND relnamespace = current_schema()::regnamespace"
    )
    if exists is None or not exists[0]:
        return 0
    row = await transaction.row("SELECT coalesce(max(version), 0) FROM schema_migrations")
    return int(row[0]) if row else 0
