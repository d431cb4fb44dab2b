"""The public names: importable, and loaded no earlier than needed."""

from __future__ import annotations

import langgraph_client


def test_all_is_complete() -> None:
    """`__all__` names each public name once, and each can be had."""
    names = langgraph_client.__all__
    assert len(names) == len(set(names))
    for name in names:
        assert getattr(langgraph_client, name) is not None


def test_unknown_names_are_refused_as_everywhere() -> None:
    """A name that is not there is an AttributeError, so that `hasattr` works."""
    assert not hasattr(langgraph_client, "no_such_name")


def test_classes_say_where_they_are_from() -> None:
    """Public classes print under the package or one of its modules."""
    for name in langgraph_client.__all__:
        made = getattr(langgraph_client, name)
        if isinstance(made, type):
            assert made.__module__.startswith("langgraph_client"), name


#: What code written for the SDK of this protocol imports from its `schema` module.
SCHEMA = """
All Assistant AssistantSelectField AssistantSortBy AssistantVersion AssistantsSearchResponse
BulkCancelRunsStatus CancelAction Checkpoint Command Config Context Cron CronSelectField CronSortBy
DisconnectMode Durability GraphSchema IfNotExists Input Interrupt Item LangSmithTracing
ListNamespaceResponse MultitaskStrategy OnCompletionBehavior OnConflictBehavior PruneStrategy
QueryParams Run RunCreate RunCreateMetadata RunSelectField RunStatus SearchItem SearchItemsResponse
Send SortOrder StreamMode StreamPart StreamPartV2 StreamVersion Thread ThreadSelectField
ThreadSortBy ThreadState ThreadStateSelectField ThreadStatus ThreadStreamMode ThreadTask
ThreadUpdateStateResponse
"""


def test_the_schema_module_has_the_names_users_import() -> None:
    """`from langgraph_client.schema import …` works for each of them."""
    from langgraph_client import schema

    assert [name for name in SCHEMA.split() if name not in schema.__all__] == []


def test_the_client_module_has_the_names_users_import() -> None:
    """The clients' own module, too; they are the ones of the package."""
    from langgraph_client import client

    for name in client.__all__:
        assert getattr(client, name) is getattr(langgraph_client, name, getattr(client, name))
