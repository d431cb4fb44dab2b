"""Exchanges with a real deployment, recorded once; then replayed without one."""

from __future__ import annotations

from pathlib import Path

from refunds import refund

from langgraph_client.testing import ScriptedGraph, TestServer, recorded


def test_a_refund(tmp_path: Path) -> None:
    # Yours is a file beside the test, and your deployment's URL. Here a server plays the latter,
    # and is gone when the cassette is played back.
    cassette_file = tmp_path / "refund.json"
    with TestServer({"agent": ScriptedGraph([{"refunded": True}])}) as deployment:
        url = deployment.listen()
        with recorded(cassette_file, scrub=["card"]) as cassette:
            assert (
                refund(cassette.remote_graph("agent", url=url), "1", lambda _: True) == "refunded"
            )
    with recorded(cassette_file) as cassette:
        assert refund(cassette.remote_graph("agent", url=url), "1", lambda _: True) == "refunded"
        assert cassette.unused == []
