"""What a `langgraph.json` says, by tables: nothing that matters is ignored in silence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from langgraph_client.server.cli.config import Config, ConfigError, read_config

GRAPHS = {"agent": "./graph.py:graph"}


def config_of(folder: Path, **keys: Any) -> Config:
    file = folder / "langgraph.json"
    file.write_text(json.dumps({"graphs": GRAPHS, **keys}))
    return read_config(file)


@pytest.mark.parametrize(
    ("keys", "name"),
    [
        ({"auth": {"path": "./auth.py:auth"}}, "auth"),
        ({"encryption": {"path": "./keys.py:keys"}}, "encryption"),
        ({"http": {"disable_store": True}}, "http.disable_store"),
        ({"http": {"disable_runs": True}}, "http.disable_runs"),
        ({"http": {"cors": {"allow_origin_regex": "https://.*"}}}, "http.cors.allow_origin_regex"),
        (
            {"webhooks": {"url": {"allowed_domains": ["a.example"]}}},
            "webhooks.url.allowed_domains",
        ),
    ],
)
def test_a_key_that_restricts_access_is_refused(
    tmp_path: Path, keys: dict[str, Any], name: str
) -> None:
    """A door that its owner believes locked is not opened: the server does not start."""
    with pytest.raises(ConfigError, match=f"'{name}' is not supported"):
        config_of(tmp_path, **keys)


@pytest.mark.parametrize("keys", [{"auth": None}, {"http": {"disable_store": False}}])
def test_a_key_that_restricts_nothing_is_accepted(tmp_path: Path, keys: dict[str, Any]) -> None:
    """Written, but not in force."""
    assert config_of(tmp_path, **keys).warnings == ()


@pytest.mark.parametrize(
    ("keys", "warning"),
    [
        ({"http": {"app": "./web.py:app"}}, "'http.app' has no effect"),
        ({"http": {"mount_prefix": "/api"}}, "'http.mount_prefix' has no effect"),
        ({"store": {"index": {"dims": 2}}}, "'store' has no effect"),
        ({"checkpointer": {"ttl": {}}}, "'checkpointer' has no effect"),
        ({"dockerfile_lines": []}, "'dockerfile_lines' has no effect"),
        ({"auht": {"path": "x"}}, "'auht' is not a known key"),
        ({"http": {"corse": {}}}, "'http.corse' is not a known key"),
        ({"webhooks": {"url": {"allow": []}}}, "'webhooks.url.allow' is not a known key"),
        (
            {"graphs": {"agent": {"path": "./graph.py:graph", "description": "mine"}}},
            "'graphs.agent.description' has no effect",
        ),
    ],
)
def test_other_keys_without_effect_are_named(
    tmp_path: Path, keys: dict[str, Any], warning: str
) -> None:
    """Each by its own name, misspelt ones, too."""
    (said,) = config_of(tmp_path, **keys).warnings
    assert warning in said


def test_keys_that_are_read(tmp_path: Path) -> None:
    """These have an effect, and no warning."""
    (tmp_path / "src").mkdir()
    found = config_of(
        tmp_path,
        dependencies=[".", "src", "langchain_openai"],
        env={"A": "1"},
        http={"cors": {"allow_origins": ["https://app.example"]}},
        webhooks={"url": {"disable_loopback": False}},
        **{"$schema": "https://schema.example"},
    )
    assert found.warnings == ()
    assert found.paths == (tmp_path, tmp_path / "src")
    assert found.cors == ("https://app.example",)
    assert found.local_webhooks
    assert found.env == {"A": "1"}


@pytest.mark.parametrize(
    ("keys", "match"),
    [
        ({"graphs": {}}, "at least one graph"),
        ({"graphs": {"a": "graph.py"}}, "graph 'a'"),
        ({"graphs": {"a": {"path": 3}}}, "graph 'a'"),
        ({"dependencies": "."}, "'dependencies' has to be a list"),
        ({"dependencies": ["./none"]}, "no such folder"),
        ({"env": 3}, "'env' has to be"),
        ({"http": 3}, "'http' has to be an object"),
        ({"http": {"cors": {"allow_origins": "*"}}}, "has to be a list"),
        ({"webhooks": {"url": []}}, "has to be an object"),
    ],
)
def test_what_is_no_config(tmp_path: Path, keys: dict[str, Any], match: str) -> None:
    """Is told with the file's name, in one line."""
    with pytest.raises(ConfigError, match=match) as refused:
        config_of(tmp_path, **keys)
    assert str(refused.value).startswith(str(tmp_path / "langgraph.json"))
    assert "\n" not in str(refused.value)


def test_a_missing_env_file_is_a_warning(tmp_path: Path) -> None:
    """Public projects name one, and ship only an example of it."""
    found = config_of(tmp_path, env=".env")
    assert found.env == {}
    assert found.warnings == (
        f"{tmp_path / 'langgraph.json'}: 'env' names .env, which does not exist",
    )


def test_an_env_file_is_read_as_elsewhere(tmp_path: Path) -> None:
    """Comments, quotes, values over several lines, references, and a mark at the beginning."""
    text = (
        "\ufeffMARK=1\nINLINE=four # comment\nQUOTED=\"five\" # comment\nexport SET='six'\n"
        'MULTI="line1\nline2"\nREF=${INLINE}-x\nEMPTY=\nNOTHING\n# COMMENT=1\n'
    )
    (tmp_path / ".env").write_text(text, encoding="utf-8")
    assert config_of(tmp_path, env=".env").env == {
        "MARK": "1",
        "INLINE": "four",
        "QUOTED": "five",
        "SET": "six",
        "MULTI": "line1\nline2",
        "REF": "four-x",
        "EMPTY": "",
    }


PROGRAM = """
import sys
from pathlib import Path
from langgraph_client.server.cli.config import read_config
from langgraph_client.server.cli.load import load_graphs
print(load_graphs(read_config(Path(sys.argv[1]))))
"""


def load(folder: Path, files: dict[str, str], **keys: Any) -> subprocess.CompletedProcess[str]:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "langgraph.json").write_text(json.dumps(keys))
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder / "langgraph.json")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "PRESENT": "shell"},
    )


@pytest.mark.parametrize(
    ("files", "keys"),
    [
        (
            {"src/app/__init__.py": "", "src/app/state.py": "T = 1", "use.py": "from app.state "
             "import T as graph"},
            {"dependencies": [".", "src"], "graphs": {"a": "./use.py:graph"}},
        ),
        (
            {"mine/statistics.py": "1 / 0", "mine/use.py": "import statistics\ngraph = 1"},
            {"dependencies": ["./mine"], "graphs": {"a": "./mine/use.py:graph"}},
        ),
        (
            {"pack/__init__.py": "", "pack/agent.py": "graph = 1"},
            {"graphs": {"a": "pack.agent:graph"}},
        ),
        ({"codecs.py": "graph = 1"}, {"graphs": {"a": "./codecs.py:graph"}}),
        (
            {"use.py": "import os\nE = os.environ\ngraph = {'1shell': 1}[E['NEW'] + E['PRESENT']]"},
            {"graphs": {"a": "./use.py:graph"}, "env": {"NEW": "1", "PRESENT": "file"}},
        ),
    ],
    ids=["folder", "standard library", "module", "standard name", "env"],
)  # fmt: skip
def test_where_graphs_are_found(
    tmp_path: Path, files: dict[str, str], keys: dict[str, Any]
) -> None:
    """Dependencies that are folders are searched, behind the standard library."""
    done = load(tmp_path, files, **keys)
    assert done.stdout == "{'a': 1}\n", done.stderr


def test_a_module_that_exits_is_a_mistake_of_the_config(tmp_path: Path) -> None:
    """It does not end the command without a word."""
    done = load(tmp_path, {"g.py": "raise SystemExit(3)"}, graphs={"a": "./g.py:graph"})
    assert "graph 'a': ./g.py: SystemExit: 3" in done.stderr
