"""The parts of the page that think, called in a browser as the page calls them."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from langgraph_client import Server

from .browser import Browser, Page

Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def loaded(chromium: Browser) -> Iterator[Page]:
    """The page of a server without graphs."""
    server = Server({})
    url = server.listen()
    with server, chromium.page() as page:
        page.open(f"{url}/ui/")
        yield page


@pytest.fixture
def ask(loaded: Page) -> Ask:
    """Calls a function of a module: `ask("think/diff.js", "diff", before, after)`."""

    def ask(module: str, name: str, *given: Any) -> Any:
        call = f"found[{json.dumps(name)}](...{json.dumps(given)})"
        return loaded.evaluate(f"import('/ui/{module}').then((found) => {call})")

    return ask


def test_differences_name_their_places(ask: Ask) -> None:
    """What was added, removed and changed, at the place where it happened."""
    before = {"a": 1, "b": {"c": [1, 2]}, "gone": None, "same": {"x": [1]}, "__proto__x": 1}
    after = {"a": 2, "b": {"c": [1, 3, 4]}, "same": {"x": [1]}, "new": [], "__proto__x": 1}
    found = {
        (change["kind"], "/".join(map(str, change["path"])))
        for change in ask("think/diff.js", "diff", before, after)
    }
    assert found == {
        ("changed", "a"),
        ("changed", "b/c/1"),
        ("added", "b/c/2"),
        ("removed", "gone"),
        ("added", "new"),
    }
    assert ask("think/diff.js", "diff", {"a": []}, {"a": {}})[0]["kind"] == "changed"
    assert ask("think/diff.js", "diff", after, after) == []


def test_numbers_stay_as_they_are_written(loaded: Page) -> None:
    """Those that JavaScript would change, wherever they are; all others are plain numbers."""
    text = (
        '{"a":9007199254740993,"b":[1.0,-0.0,1e-05,1E+22,2.50,0.30000000000000004],'
        '"c":{"d":123456789012345678901234567890},"e":3,"f":1.5,"g":"1.0","h":1234567.123456789012}'
    )
    code = f"""import('/ui/think/json.js').then(({{ readJson }}) => {{
        const read = readJson({json.dumps(text)});
        return [JSON.stringify(read), typeof read.e, typeof read.f, read.b[0] + 1, `${{read.a}}`];
    }})"""
    assert loaded.evaluate(code) == [text, "number", "number", 2, "9007199254740993"]


def test_a_changed_number_is_a_difference(loaded: Page) -> None:
    """Also where JavaScript would read both as one; in Python they are as they were written."""
    code = """Promise.all(['json', 'diff', 'python'].map((name) => import(`/ui/think/${name}.js`)))
        .then(([{ readJson }, { diff }, { literal }]) => {
            const texts = ['[9007199254740992, 1.0]', '[9007199254740993, 1.0]'];
            const [before, after] = texts.map((text) => readJson(text));
            return [diff(before, after).map((change) => change.path), literal(after)];
        })"""
    assert loaded.evaluate(code) == [[[0]], "[9007199254740993, 1.0]"]


def checkpoint(name: str, parent: str | None) -> dict[str, Any]:
    """Return a state as the server has it, as far as the tree looks at it."""
    above = {"checkpoint_id": parent} if parent else None
    return {"checkpoint": {"checkpoint_id": name}, "parent_checkpoint": above}


def test_forks_have_lanes_of_their_own(ask: Ask) -> None:
    """Each branch has a lane, which ends at the checkpoint that it left from."""
    pairs = [("f", "b"), ("e", "d"), ("d", "b"), ("c", "b"), ("b", "a"), ("a", None)]
    tree = ask("think/history_tree.js", "treeOf", [checkpoint(*pair) for pair in pairs])
    assert [row["lane"] for row in tree["rows"]] == [0, 1, 1, 2, 0, 0]
    assert tree["width"] == 3
    joined = next(row for row in tree["rows"] if row["id"] == "b")
    assert (joined["joins"], joined["children"]) == ([1, 2], ["f", "d", "c"])


def test_a_history_without_its_beginning_is_a_tree_too(ask: Ask) -> None:
    """A parent that was not read ends the lane."""
    tree = ask("think/history_tree.js", "treeOf", [checkpoint("c", "b"), checkpoint("b", "a")])
    assert [row["lane"] for row in tree["rows"]] == [0, 0]
    assert tree["rows"][1]["parent"] is None


@pytest.mark.parametrize(
    "value",
    [
        None,
        [True, False, 0, -1.5, 1e300, 12345678901],
        {"a": {"b": ["c" * 100, 'quote " and \\ and \n and \x00 and \x7f \u2028 🙂 é']}},
        "",
        {},
        [[], {}],
        {"long": [{"name": "x" * 30, "value": number} for number in range(9)]},
    ],
)
def test_json_is_written_as_python(ask: Ask, value: Any) -> None:
    """Python reads what is written as the same value."""
    assert ast.literal_eval(ask("think/python.js", "literal", value)) == value


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ("", {}),
        ("user=ada", {"metadata": {"user": "ada"}}),
        ("n=1 on=true x=null", {"metadata": {"n": 1, "on": True, "x": None}}),
        (
            'name="a b" values.topic=cats',
            {"metadata": {"name": "a b"}, "values": {"topic": "cats"}},
        ),
        ("metadata.a.b=1 a.c=2", {"metadata": {"a": {"b": 1, "c": 2}}}),
        ('{"a": [1]}', {"metadata": {"a": [1]}}),
        ("01a22470-2e79-78b3-8b12-b16de3c69916", {"ids": ["01a22470-2e79-78b3-8b12-b16de3c69916"]}),
    ],
)
def test_a_search_is_read(ask: Ask, text: str, body: dict[str, Any]) -> None:
    """What is typed becomes the body of a search."""
    assert ask("think/search.js", "conditionsOf", text) == {"body": body}


@pytest.mark.parametrize("text", ["cats", "=x", '{"a": '])
def test_a_search_that_cannot_be_read_is_said(ask: Ask, text: str) -> None:
    """It says how to write it, and nothing is asked of the server."""
    found = ask("think/search.js", "conditionsOf", text)
    assert found["body"] == {}
    assert found["error"]


def test_an_event_stream_is_read_however_it_is_cut(loaded: Page) -> None:
    """Events come out whole, wherever the chunks end, and other line breaks belong to the data."""
    text = (
        'event: values\r\ndata: {"a":"\u2028é🙂"}\r\nid: 1-0\r\n\r\n: heartbeat\r\n\r\n'
        "event: x\ndata: 1\ndata: 2\n\nevent: bare\n\n"
    )
    found = loaded.evaluate(
        f"""import('/ui/think/sse.js').then(({{ EventParser }}) => {{
          const text = {json.dumps(text)};
          return [...text, ''].map((_, cut) => {{
            const parser = new EventParser();
            const parts = [text.slice(0, cut), text.slice(cut)];
            return JSON.stringify(parts.flatMap((part) => parser.push(part)));
          }});
        }})"""
    )
    (one,) = {*found}
    assert json.loads(one) == [
        {"event": "values", "data": {"a": "\u2028é🙂"}, "id": "1-0"},
        {"event": "x", "data": "1\n2", "id": "1-0"},
    ]


def test_links_lead_to_web_pages_only(ask: Ask) -> None:
    """Any other address is text."""
    for href in (
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "//x",
        "vbscript:x",
    ):
        assert ask("think/markdown.js", "safeHref", href) is None
    assert (
        ask("think/markdown.js", "safeHref", "https://a.example/b?c#d") == "https://a.example/b?c#d"
    )


@pytest.mark.parametrize("letter", ["`", "*", "**a", "[", "[a](", "_a ", "```\n", "> ", "# ", "- "])
def test_a_long_message_does_not_hold_the_page_up(ask: Ask, letter: str) -> None:
    """Ten times what is drawn of a message at once is read in the time that a call has.

    A pattern that goes over the rest of the text at each letter would take minutes for it.
    """
    blocks = ask("think/markdown.js", "blocksOf", (letter * 200_000)[:200_000])
    assert blocks


def test_a_form_asks_for_what_the_schema_says(ask: Ask) -> None:
    """Each property has a field of its kind; what the schema leaves open is asked for as JSON."""
    schema = {
        "$defs": {"Size": {"enum": ["s", "l"], "type": "string"}},
        "properties": {
            "topic": {"type": "string", "title": "Topic"},
            "size": {"$ref": "#/$defs/Size"},
            "count": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": 3},
            "on": {"type": "boolean"},
            "tags": {"type": "array", "items": {"type": "string"}},
            "messages": {"type": "array", "items": {"oneOf": [{"$ref": "#/$defs/HumanMessage"}]}},
        },
        "required": ["topic"],
    }
    fields = ask("think/schema.js", "fieldsOf", schema)
    kinds = {field["name"]: field["kind"] for field in fields}
    assert kinds == {
        "topic": "string",
        "size": "choice",
        "count": "integer",
        "on": "boolean",
        "tags": "json",
        "messages": "messages",
    }
    assert [field["name"] for field in fields if field["required"]] == ["topic"]
    assert ask("think/schema.js", "fieldsOf", {"type": "string"}) is None
