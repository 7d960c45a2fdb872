"""The webhook receiver keeps what came exactly as it came, and answers as told."""

from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from deploy.simulator.process import World


def _post(url: str, body: bytes) -> int:
    request = Request(url, data=body, headers={"Content-Type": "application/json", "webhook-id": "msg_1"})
    with build_opener(ProxyHandler({})).open(request, timeout=5) as answer:
        status: int = answer.status
    return status


def test_deliveries_are_kept_with_raw_body_and_headers(world: World) -> None:
    assert _post(world.sink_url("plain"), b'{"b": 1,  "a": "\xc3\xa9"}') == 200
    (delivery,) = world.sink("plain")
    assert delivery["body"] == '{"b": 1,  "a": "é"}'
    assert {name.lower(): value for name, value in delivery["headers"].items()}["webhook-id"] == "msg_1"
    assert delivery["at"] >= world.started_at


def test_a_receiver_fails_as_often_as_told_and_then_recovers(world: World) -> None:
    world.answer_sink("flaky", 500, 429, 200, headers={"Retry-After": "1"})
    for status in (500, 429):
        with pytest.raises(HTTPError) as refused:
            _post(world.sink_url("flaky"), b"{}")
        assert refused.value.code == status
    assert _post(world.sink_url("flaky"), b"{}") == 200
    assert [delivery["status"] for delivery in world.sink("flaky")] == [500, 429, 200]
