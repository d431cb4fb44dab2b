"""`graphs`, `dependencies` and `env`: where the code of an application is, and what it finds."""

from __future__ import annotations

import httpx
import pytest

from tests.apps.conftest import Apps

TOLD = {
    "MODEL": "FAKE/MODEL",
    "GREETING": "HELLO\nTHERE",
    "DERIVED": "ONE-TWO",
    "EMPTY": "",
}


def ask(http: httpx.Client, graph: str, **body: object) -> object:
    answer = http.post("/runs/wait", json={"assistant_id": graph, "input": {}, **body})
    assert answer.status_code == 200, answer.text
    return answer.json()["told"]


@pytest.mark.parametrize("graph", ["agent", "by_module", "builder"])
def test_a_project_loads(apps: Apps, subject: str, graph: str) -> None:
    """A project with a `src` folder need not be installed; its modules import each other and those
    of another dependency, behind the standard library. The `.env` is read as elsewhere."""
    if subject == "real":
        pytest.skip("langgraph dev needs such a project installed")
    assert ask(apps.client("projects"), graph) == TOLD


RUN = "threads.create_run"


@pytest.mark.parametrize(
    ("graph", "told"),
    [
        ("nothing", "nothing"),
        ("config", "acme"),
        ("runtime", RUN),
        ("both", f"acme {RUN}"),
        ("turned", f"acme {RUN}"),
        ("manager", "acme"),
        ("optional", "acme"),
        ("own_class", "acme"),
        ("annotated", RUN),
    ],
)
def test_factories_get_what_they_annotate(apps: Apps, graph: str, told: str) -> None:
    """A factory gets what it asks for by annotation, in any order, for a run and for a drawing."""
    http = apps.client("factories")
    config = {"configurable": {"tenant": "acme"}}
    assert ask(http, graph, config=config) == told
    (made,) = http.post("/assistants/search", json={"graph_id": graph}).json()
    drawn = http.get(f"/assistants/{made['assistant_id']}/graph").json()
    assert "tell" in [node["id"] for node in drawn["nodes"]]
