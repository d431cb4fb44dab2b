"""As langchain-ai/retrieval-agent-template: one graph indexes documents, another one answers."""

from typing import Annotated

from langchain_core.documents import Document
from typing_extensions import TypedDict

DOCUMENTS: dict[str, list[Document]] = {}


def reduce_docs(left: list | None, right: list | str | None) -> list:
    made = [Document(one) if isinstance(one, str) else one for one in right or []]
    return [*(left or []), *made] if right != "delete" else []


class IndexState(TypedDict, total=False):
    docs: Annotated[list, reduce_docs]


class State(TypedDict, total=False):
    query: str
    retrieved: list[str]
