"""What a `langgraph.json` says, by tables: nothing that matters is ignored in silence."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from langgraph_client.server.cli.config import (
    AppConfig,
    AuthSection,
    ConfigError,
    GraphPlace,
    StoreSection,
    read_config,
)
from langgraph_client.server.cli.keys import KEYS, Key
from langgraph_client.server.cli.load import server_of
from langgraph_client.server.options import Cors, HeaderRules, ThreadTTL, WebhookOptions

GRAPHS = {"agent": "./graph.py:graph"}


def config_of(folder: Path, **keys: Any) -> AppConfig:
    file = folder / "langgraph.json"
    file.write_text(json.dumps({"graphs": GRAPHS, **keys}))
    return read_config(file)


@pytest.mark.parametrize(
    ("keys", "name"),
    [
        ({"priority": {"path": "./priority.py:priority"}}, "priority"),
        ({"auth": {"path": "a:b", "allow_langsmith_api_keys": True}}, "allow_langsmith_api_keys"),
    ],
)
def test_a_key_that_restricts_access_is_refused(
    tmp_path: Path, keys: dict[str, Any], name: str
) -> None:
    """A door that its owner believes locked is not opened, and code that decides is not left out:
    the server does not start."""
    with pytest.raises(ConfigError, match=f"{name}' is not supported"):
        config_of(tmp_path, **keys)


@pytest.mark.parametrize(
    ("keys", "match"),
    [
        (
            {"auht": {"path": "./auth.py:auth"}},
            r"'auht' is not .*mean 'auth'\? The server would be open",
        ),
        ({"encryptoin": {"path": "./keys.py:keys"}}, "mean 'encryption'?"),
        ({"http": {"disable_stroe": True}}, "mean 'http.disable_store'?"),
        ({"webhooks": {"url": {"allowed_domain": ["a.b"]}}}, "mean 'webhooks.url.allowed_domains'"),
        ({"htpp": {"disable_store": True}}, "mean 'http'.*would be open"),
        ({"webhook": {"url": {"require_https": True}}}, "mean 'webhooks'.*would be open"),
    ],
)
def test_a_misspelt_key_that_restricts_access_is_refused(
    tmp_path: Path, keys: dict[str, Any], match: str
) -> None:
    """The same for a lock whose name is misspelt, as its owner cannot know that it is open."""
    with pytest.raises(ConfigError, match=match):
        config_of(tmp_path, **keys)


@pytest.mark.parametrize("keys", [{"auth": None}, {"http": {"disable_store": False}}, {"auth": {}}])
def test_a_key_that_restricts_nothing_is_accepted(tmp_path: Path, keys: dict[str, Any]) -> None:
    """Written, but not in force."""
    assert config_of(tmp_path, **keys).warnings == ()


@pytest.mark.parametrize(
    ("keys", "warning"),
    [
        ({"dockerfile_lines": []}, "'dockerfile_lines' has no effect here: it is about"),
        ({"ui": {"agent": "./ui.tsx"}}, "'ui' has no effect here"),
        ({"htpp": {"app": "./web.py:app"}}, "'htpp' is not a known key and has no effect. Did you"),
        ({"auht": {}}, "'auht' is not a known key and has no effect. Did you mean 'auth'?"),
        ({"wholly": 1}, "'wholly' is not a known key and has no effect"),
        ({"http": {"cors": {"allow_origins": ["*", "http//x"]}}}, "'http//x' has no effect"),
        ({"http": {"corse": {}}}, "'http.corse' is not a known key and has no effect. Did you"),
        ({"webhooks": {"url": {"zzz": []}}}, "'webhooks.url.zzz' is not a known key"),
        ({"checkpointer": {"serde": {"pickle_fallback": True}}}, "nothing is ever unpickled"),
        ({"checkpointer": {"serde": {"allowed_json_modules": True}}}, "Give a list"),
        ({"store": {"path": "a:b", "index": {"dims": 2, "embed": "e:f"}}}, "names a store"),
    ],
)
def test_other_keys_without_effect_are_named(
    tmp_path: Path, keys: dict[str, Any], warning: str
) -> None:
    """Each by its own name, and why; a misspelt one with the key that was meant."""
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
    assert found.cors == Cors(("https://app.example",))
    assert found.webhooks.loopback
    assert found.env == {"A": "1"}


@pytest.mark.parametrize(
    ("keys", "match"),
    [
        ({"graphs": {}}, "at least one graph"),
        ({"graphs": {}, "graph": {"a": "b:c"}}, "one graph; 'graph' is not .* mean 'graphs'?"),
        ({"graphs": {"a": "graph.py"}}, "graph 'a'"),
        ({"graphs": {"a": {"path": 3}}}, "'graphs.a.path' has to be a text"),
        ({"graphs": {"a": "./agent.ts:graph"}}, "graph 'a'.*TypeScript"),
        ({"http": {"app": "./web.mts:app"}}, "'http.app'.*TypeScript"),
        ({"auth": {"disable_studio_auth": True}}, "'auth' needs a 'path'"),
        ({"auth": {"path": None}}, "'auth' needs a 'path'"),
        ({"encryption": {"path": None}}, "'encryption' needs a 'path'"),
        ({"auth": {"path": "auth.py"}}, "'auth.path' has to be"),
        ({"http": {"disable_runs": "yes"}}, "'http.disable_runs' has to be true or false"),
        ({"http": {"middleware_order": "any"}}, "auth_first or middleware_first"),
        ({"http": {"mount_prefix": "api/"}}, "has to begin with a slash"),
        ({"http": {"cors": {"allow_origin_regex": "("}}}, "allow_origin_regex"),
        ({"store": {"index": {"dims": 2}}}, "needs 'dims' and 'embed'"),
        ({"checkpointer": {"backend": "mongo"}}, "no 'mongo' backend"),
        ({"checkpointer": {"backend": "custom"}}, "needs a 'path'"),
        ({"checkpointer": {"ttl": {"strategy": "keep"}}}, "delete or keep_latest"),
        ({"checkpointer": {"ttl": {"default_ttl": 0}}}, "number of minutes above 0"),
        (
            {"store": {"ttl": {"default_ttl": -5}}},
            "'store.ttl.default_ttl' must be a number",
        ),
        ({"store": {"index": {"dims": 0, "embed": "a:b"}}}, "'store.index.dims' must be a whole"),
        ({"checkpointer": {"serde": {"allowed_json_modules": [[1, 2]]}}}, "a list of lists"),
        ({"dependencies": ["\0"]}, "null byte"),
        ({"env": {"A": {"b": 1}}}, "'env.A' has to be a text"),
        ({"env": {"A=B": "1"}}, "'A=B', which cannot be an environment variable"),
        ({"checkpointer": {"serde": {"allowed_json_modules": ["a"]}}}, "a list of lists"),
        ({"webhooks": {"headers": {"a": 1}}}, "has to have texts"),
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


@pytest.mark.parametrize(
    ("url", "loopback", "private"),
    [
        ({}, False, False),
        ({"disable_loopback": False}, True, True),
        ({"disable_loopback": False, "disable_private_ips": True}, True, False),
        ({"disable_private_ips": False}, False, True),
        ({"disable_private_ips": None}, False, False),
        ({"disable_loopback": True, "disable_private_ips": False}, False, True),
    ],
)
def test_where_webhooks_may_go(
    tmp_path: Path, url: dict[str, bool], loopback: bool, private: bool
) -> None:
    """Each of the two keys opens what it names; the first one alone opens both."""
    webhooks = config_of(tmp_path, webhooks={"url": url}).webhooks
    assert (webhooks.loopback, webhooks.private) == (loopback, private)


def test_a_missing_env_file_is_a_warning(tmp_path: Path) -> None:
    """Public projects name one, and ship only an example of it."""
    found = config_of(tmp_path, env=".env")
    assert found.env == {}
    assert found.warnings == (
        f"{tmp_path / 'langgraph.json'}: 'env' names .env, which does not exist",
    )


def test_variables_without_a_value(tmp_path: Path) -> None:
    """A variable whose value is null is not set."""
    given = {"KEY": None, "OTHER": "x", "NUMBER": 7}
    assert config_of(tmp_path, env=given).env == {"OTHER": "x", "NUMBER": "7"}


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


def test_each_section_of_langgraph_json_is_read(tmp_path: Path) -> None:
    """Every section becomes a typed part of the config; null means that a key is not there."""
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "src").mkdir()
    found = config_of(
        tmp_path,
        graphs={"agent": {"path": "./graph.py:graph", "description": "mine"}},
        auth={"path": "./auth.py:auth", "disable_studio_auth": True, "openapi": {"security": []}},
        http={
            "app": "./web.py:app",
            "disable_store": True,
            "disable_webhooks": True,
            "mount_prefix": "/api/v1",
            "middleware_order": "auth_first",
            "enable_custom_route_auth": True,
            "configurable_headers": {"includes": ["x-*"], "exclude": ["x-b"]},
            "cors": {"allow_origin_regex": "https://.*", "max_age": 5, "allow_credentials": None},
        },
        store={
            "index": {"dims": 2, "embed": "./emb.py:embed", "fields": None},
            "ttl": {"default_ttl": 1.5, "refresh_on_read": False},
        },
        checkpointer={
            "path": "./saver.py:make",
            "ttl": {"default_ttl": 60, "strategy": "keep_latest"},
            "serde": {"allowed_msgpack_modules": [["my.models", "State"], ["my", "b", "C"]]},
        },
        webhooks={
            "headers": {"a": "${{ env.LG_WEBHOOK_A }}"},
            "allowed_fields": ["run_id"],
            "url": {"allowed_domains": ["*.a.example"], "allowed_ports": [443]},
        },
    )
    assert found.warnings == ()
    assert found.paths == (tmp_path, tmp_path / "src")
    assert found.graphs["agent"] == GraphPlace("./graph.py:graph", "mine")
    assert found.auth == AuthSection("./auth.py:auth", True, {"security": []})
    assert found.http_app == "./web.py:app"
    assert found.http.disabled == {"store"}
    assert found.http.mount_prefix == "/api/v1"
    assert found.http.auth_first
    assert found.http.custom_route_auth
    picked = found.http.configurable_headers.pick({"X-A": "1", "x-b": "2", "x-api-key": "3"})
    assert picked == {"x-a": "1"}
    keys = ("Authorization", "Cookie", "Proxy-Authorization", "X-Api-Key", "X-Service-Key")
    assert HeaderRules(("*",)).pick({**dict.fromkeys(keys, "k"), "X-A": "1"}) == {"x-a": "1"}
    assert found.cors == Cors(allow_origin_regex="https://.*", max_age=5)
    assert found.store == StoreSection(None, 2, "./emb.py:embed", ("$",), 1.5, False)
    assert found.checkpointer == "./saver.py:make"
    assert found.thread_ttl == ThreadTTL(60, "keep_latest")
    assert found.allowed_classes == (("my.models", "State"), ("my.b", "C"))
    assert found.webhooks == WebhookOptions(
        enabled=False,
        allowed_domains=("*.a.example",),
        allowed_ports=(443,),
        headers={"a": "${{ env.LG_WEBHOOK_A }}"},
        fields=("run_id",),
    )


PROGRAM = """
import sys
from pathlib import Path
from langgraph_client.server.cli.config import read_config
from langgraph_client.server.cli.load import load_graphs, prepare
config = read_config(Path(sys.argv[1]))
prepare(config)
print(load_graphs(config))
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
        timeout=300,
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
    assert f"graph 'a': {tmp_path / 'g.py'}:1: SystemExit: 3" in done.stderr


def test_an_import_that_fails_names_the_code(tmp_path: Path) -> None:
    """The application's file, its line and the missing package; no frame of this package or of
    the import machinery."""
    files = {
        "pack/__init__.py": "",
        "pack/tools.py": "\nimport not_there",
        "g.py": "import pack.tools",
    }
    done = load(tmp_path, files, graphs={"a": "./g.py:graph"})
    said = done.stderr[done.stderr.rindex("ConfigError: ") :]
    first, *rest = said.splitlines()
    assert f"graph 'a': {tmp_path / 'pack/tools.py'}:2: ModuleNotFoundError" in first
    assert "'not_there'" in first
    assert [line.split(",")[0].strip() for line in rest[::2]] == [
        f'File "{tmp_path / name}"' for name in ("g.py", "pack/tools.py")
    ]


def test_a_syntax_error_names_its_line(tmp_path: Path) -> None:
    """Of the file it is in, which may be another than that of the graph."""
    done = load(tmp_path, {"g.py": "\n\ngraph = ("}, graphs={"a": "./g.py:graph"})
    assert f"{tmp_path / 'g.py'}:3: SyntaxError" in done.stderr


def test_the_table_has_every_key() -> None:
    """Each key that the command knows is in docs/applications.md, by its name."""

    def names(keys: Mapping[str, Key], prefix: str = "") -> Iterator[str]:
        for name, key in keys.items():
            if key.inside is None:
                yield prefix + name
            else:
                yield from names(key.inside, f"{prefix}{name}.")

    table = (Path(__file__).parents[2] / "docs" / "applications.md").read_text()
    shown = set(re.findall(r"`([\w.$*]+)`", table))
    short = {"include", "exclude"}  # other names of `includes` and `excludes`
    for name in names(KEYS):
        section, _, last = name.rpartition(".")
        assert name in shown or (section in shown and (last in shown or last in short)), name


TRANSFORMED = """
from typing import TypedDict
from langgraph.graph import START, StateGraph
from langgraph.stream import StreamChannel, StreamTransformer

class State(TypedDict, total=False):
    n: int

class Counted(StreamTransformer):
    required_stream_modes = ("updates",)

    def init(self):
        self.channel = StreamChannel("counted")
        return {"counted": self.channel}

    def process(self, event):
        if event["method"] == "updates":
            self.channel.push(len(event["params"]["data"]))
        return True

def stream_transformers():
    return [Counted]

graph = StateGraph(State).add_node("a", lambda s: {"n": 1}).add_edge(START, "a").compile()
"""


def test_a_module_s_stream_transformers_feed_its_event_streams(tmp_path: Path) -> None:
    """What `stream_transformers()` returns is used for each run: its named channel is streamed."""
    (tmp_path / "graph.py").write_text(TRANSFORMED)
    with (
        server_of(config_of(tmp_path), {}) as server,
        server.sync_client() as client,
        client.threads.stream(assistant_id="agent") as thread,
    ):
        thread.run.start(input={"n": 0})
        assert thread.output == {"n": 1}
        assert list(thread.extensions["counted"]) == [{"name": "counted", "payload": 1}]


def test_stream_transformers_that_are_no_function_are_refused(tmp_path: Path) -> None:
    """The error names the graph."""
    (tmp_path / "graph.py").write_text(f"{TRANSFORMED}\nstream_transformers = [Counted]\n")
    with pytest.raises(ConfigError, match="graph 'agent': stream_transformers is not a function"):
        server_of(config_of(tmp_path), {})
