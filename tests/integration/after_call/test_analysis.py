"""Ended calls are summarised and analysed, and completed whatever the model does."""

import json
from collections.abc import Callable
from threading import Event
from uuid import UUID

import pytest

from dispatcher.chat import Chat
from dispatcher.services.analyse import LEASE_S, MAX_BEGINNINGS, RING_S, analyse_call, sweep_posts
from dispatcher.store.db import Database
from dispatcher.store.posts import PostClaim, begin_post
from schema.callspec import Turn
from schema.outcomes import Outcome
from tests.builders.announcer import RecordingAnnouncer
from tests.builders.clock import Clock
from tests.builders.rows import an_account, call_row
from tests.integration.after_call.receiver import Received, Receiver, Reply
from tests.integration.after_call.rows import SAID, a_call, delivery_rows

HOOK = "https://ours.example/hook"
SCHEMA = {"converted": {"type": "boolean", "description": "Agreed?"}, "appointment_time": "date", "rating": "number"}
ANALYSIS = {"converted": True, "appointment_time": "2026-03-03", "rating": None}
GOOD = {"summary": "The patient confirmed.", "sentiment": "positive", "analysis": ANALYSIS}


def saying(content: str, finish_reason: str = "stop", **message: object) -> Reply:
    completion = {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "finish_reason": finish_reason,
                "message": {"role": "assistant", "content": content, **message},
            }
        ],
    }
    return Reply(200, {"content-type": "application/json"}, json.dumps(completion).encode())


def raw(body: bytes) -> Reply:
    return Reply(200, {"content-type": "application/json"}, body)


def refusing(status: int, code: str = "unsupported") -> Reply:
    body = {"error": {"message": "secret detail", "type": "invalid_request_error", "code": code}}
    return Reply(status, {"content-type": "application/json"}, json.dumps(body).encode())


def one_by_one(*replies: Reply) -> Callable[[Received], Reply]:
    left = list(replies)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


def chat_at(server: Receiver) -> Chat:
    return Chat(server.url("/v1"), "sk-test", "model-1", 5, backoff_s=0)


def asked(server: Receiver) -> list[dict[str, object]]:
    return [json.loads(got.body) for got in server.received]


def an_ended_call(db: Database, said: tuple[Turn, ...] = SAID, **columns: object) -> UUID:
    config: dict[str, object] = {"webhook_url": HOOK, "analysis_schema": SCHEMA}
    return a_call(db, an_account(db), config=config, said=said, **columns)


def test_a_call_gets_its_summary_sentiment_and_analysis_and_its_webhook_shows_them(db: Database) -> None:
    call_id = an_ended_call(db)
    with Receiver(lambda _: saying(json.dumps(GOOD))) as server:
        assert analyse_call(db, call_id, 0, chat_at(server))
        (request,) = asked(server)
    row = call_row(db, call_id)
    assert (row["call_summary"], row["sentiment"], row["analysis"]) == ("The patient confirmed.", "positive", ANALYSIS)
    assert (row["disposition"], row["completed"], row["post_due_at"], row["analysis_error"]) == (
        "no_outcome", True, None, None,
    )  # fmt: skip
    (delivery,) = delivery_rows(db)
    payload = delivery["payload"]
    assert isinstance(payload, dict)
    assert (delivery["event_type"], payload["data"]["analysis"]) == ("call.completed", ANALYSIS)
    assert payload["data"]["completed"] is True
    assert json.dumps(request["response_format"]).startswith('{"type": "json_schema"')
    assert request["model"] == "model-1"
    assert "callee: Yes, I will come tomorrow." in json.dumps(request["messages"])


def test_a_server_without_schemas_is_asked_in_words_and_not_bothered_again(db: Database) -> None:
    first, second = an_ended_call(db), an_ended_call(db, phone_number="+14155550002")
    with Receiver(
        one_by_one(refusing(400), refusing(400), saying(f"Here:\n```json\n{json.dumps(GOOD)}\n```"))
    ) as server:
        chat = chat_at(server)
        assert analyse_call(db, first, 0, chat)
        assert analyse_call(db, second, 0, chat)
        formats = [request.get("response_format") for request in asked(server)]
    assert [form and form["type"] for form in formats] == ["json_schema", "json_object", None, None]  # type: ignore[index]
    assert call_row(db, second)["analysis"] == ANALYSIS


@pytest.mark.parametrize(
    "bad", ["no json at all", '["a"]', "{", json.dumps({**GOOD, "analysis": {"converted": "yes"}}), '{"summary": NaN}']
)
def test_an_unusable_answer_is_repaired_once(db: Database, bad: str) -> None:
    call_id = an_ended_call(db)
    with Receiver(one_by_one(saying(bad), saying(json.dumps(GOOD)))) as server:
        assert analyse_call(db, call_id, 0, chat_at(server))
        first, second = asked(server)
    assert call_row(db, call_id)["analysis"] == ANALYSIS
    assert len(second["messages"]) == len(first["messages"]) + 2  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("reply", "error", "requests"),
    [
        (saying("nonsense"), "the answer is not JSON", 2),
        (saying('{"summary": "x"'), "the answer is not JSON", 2),
        (saying("{}"), "the answer does not fit: summary: is missing", 2),
        (saying("", "length"), "the language model's answer was cut off (length)", 1),
        (saying("", refusal="I cannot"), "the language model refused to answer", 1),
        (refusing(401), "the language model answered 401", 1),
        (refusing(400), "the language model answered 400", 3),
        (refusing(429, "insufficient_quota"), "the language model answered 429", 1),
        (refusing(500), "the language model answered 500", 3),
        (
            Reply(200, {"content-type": "application/json"}, b'{"choices": []}'),
            "the language model answered nothing",
            1,
        ),
    ],
)
def test_a_failing_model_loses_neither_the_call_nor_its_webhook(
    db: Database, reply: Reply, error: str, requests: int
) -> None:
    call_id = an_ended_call(db)
    with Receiver(lambda _: reply) as server:
        assert analyse_call(db, call_id, 0, chat_at(server))
        assert len(server.received) == requests
    row = call_row(db, call_id)
    assert str(row["analysis_error"]).startswith(error)
    assert (row["completed"], row["call_summary"], row["analysis"]) == (True, None, None)
    assert [delivery["event_type"] for delivery in delivery_rows(db)] == ["call.completed"]


def test_a_passing_fault_of_the_server_is_asked_over(db: Database) -> None:
    call_id = an_ended_call(db)
    with Receiver(one_by_one(refusing(503), refusing(429), saying(json.dumps(GOOD)))) as server:
        assert analyse_call(db, call_id, 0, chat_at(server))
    assert call_row(db, call_id)["analysis_error"] is None


def test_an_unreachable_or_silent_model_loses_no_call(db: Database) -> None:
    unreachable, silent = an_ended_call(db), an_ended_call(db, phone_number="+14155550002")
    with Receiver() as closed:
        nowhere = chat_at(closed)
    assert analyse_call(db, unreachable, 0, nowhere)
    never = Event()
    with Receiver(lambda _: Reply(hold=never)) as server:
        assert analyse_call(db, silent, 0, Chat(server.url("/v1"), "sk-test", "m", 0.3))
        never.set()
    assert call_row(db, unreachable)["analysis_error"] == "the language model cannot be reached"
    assert str(call_row(db, silent)["analysis_error"]).startswith("the language model gave no answer within")
    assert len(delivery_rows(db)) == 2


def test_without_a_model_the_call_completes_and_says_so(db: Database) -> None:
    call_id = an_ended_call(db)
    assert analyse_call(db, call_id, 0, None)
    row = call_row(db, call_id)
    assert (row["completed"], row["analysis_error"]) == (True, "no language model is configured; set OPENAI_API_KEY")


def test_a_call_in_which_nothing_was_said_asks_no_model(db: Database) -> None:
    call_id = an_ended_call(db, said=(), outcome=Outcome.NO_SPEECH)
    with Receiver() as server:
        assert analyse_call(db, call_id, 0, chat_at(server))
        assert server.received == []
    row = call_row(db, call_id)
    assert (row["disposition"], row["analysis_error"]) == (
        "no_speech", "nothing was said, so there is nothing to analyse",
    )  # fmt: skip


def test_what_the_database_cannot_hold_loses_no_call(db: Database) -> None:
    call_id = an_ended_call(db)
    odd = json.dumps({**GOOD, "summary": "a\x00b\ud800c"})
    with Receiver(lambda _: saying(odd)) as server:
        assert analyse_call(db, call_id, 0, chat_at(server))
    assert call_row(db, call_id)["call_summary"] == "ab?c"


def test_a_doubled_bell_analyses_once(db: Database) -> None:
    call_id = an_ended_call(db)
    assert analyse_call(db, call_id, 0, None)
    assert not analyse_call(db, call_id, 0, None)
    assert not analyse_call(db, call_id, 1, None)
    assert len(delivery_rows(db)) == 1


def test_a_dead_workers_call_is_taken_up_by_another_and_its_late_answer_is_fenced(
    timed: Database, clock: Clock
) -> None:
    call_id = an_ended_call(timed)

    def overtaken(_: Received) -> Reply:
        clock.advance(seconds=LEASE_S + 1)
        bells = RecordingAnnouncer()
        assert sweep_posts(timed, bells) == 1
        assert analyse_call(timed, *bells.analyses[0], None)
        return saying(json.dumps(GOOD))

    with Receiver(overtaken) as server:
        assert not analyse_call(timed, call_id, 0, chat_at(server))
    assert str(call_row(timed, call_id)["analysis_error"]).startswith("no language model")
    assert len(delivery_rows(timed)) == 1


def test_a_lost_bell_is_rung_again_and_a_heard_one_is_not(timed: Database, clock: Clock) -> None:
    call_id = an_ended_call(timed)
    assert sweep_posts(timed, RecordingAnnouncer()) == 1
    assert sweep_posts(timed, RecordingAnnouncer()) == 0
    clock.advance(seconds=RING_S + 1)
    bells = RecordingAnnouncer()
    assert sweep_posts(timed, bells) == 1
    assert analyse_call(timed, *bells.analyses[0], None)
    clock.advance(hours=1)
    assert sweep_posts(timed, RecordingAnnouncer()) == 0
    assert bells.analyses == [(call_id, 0)]


def test_a_call_that_kills_its_workers_completes_without_analysis(timed: Database, clock: Clock) -> None:
    call_id = an_ended_call(timed)
    for beginning in range(MAX_BEGINNINGS):
        with timed.transaction() as tx:
            assert begin_post(tx, PostClaim(call_id, beginning), lease_s=LEASE_S)
        clock.advance(seconds=LEASE_S + 1)
    bells = RecordingAnnouncer()
    sweep_posts(timed, bells)
    with Receiver() as server:
        assert analyse_call(timed, *bells.analyses[0], chat_at(server))
        assert server.received == []
    assert call_row(timed, call_id)["analysis_error"] == "post-processing was interrupted 4 times"
