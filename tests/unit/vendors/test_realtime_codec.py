"""The realtime codec's timelines: what the server says, what we yield, what we send back."""

import json
from base64 import b64encode

import pytest

from media.errors import ProviderError
from media.ports import (
    RtAgentText,
    RtAudio,
    RtCalleeText,
    RtCommitted,
    RtItemDone,
    RtResponseDone,
    RtSpeechStarted,
    RtSpeechStopped,
    ToolRequest,
    ToolSpec,
)
from media.realtime.client_frames import SessionSetup, append, remember, session_update, verbatim
from media.realtime.server_frames import RealtimeCodec
from schema.outcomes import EndReason

FRAME = b"\xff" * 160


def server(kind: str, **fields: object) -> bytes:
    return json.dumps({"type": kind, "event_id": "server_1", **fields}).encode()


def audio(item_id: str, response_id: str, size: int = 800) -> bytes:
    delta = b64encode(b"\x7f" * size).decode()
    return server("response.output_audio.delta", item_id=item_id, response_id=response_id, delta=delta)


def created(response_id: str) -> bytes:
    return server("response.created", response={"id": response_id, "status": "in_progress"})


def done(response_id: str, status: str = "completed", **fields: object) -> bytes:
    return server("response.done", response={"id": response_id, "status": status, "output": [], **fields})


def item_done(item_id: str, kind: str = "message") -> bytes:
    return server("response.output_item.done", item={"id": item_id, "type": kind})


def refused(code: str, event_id: str | None, message: str = "") -> bytes:
    return server(
        "error", error={"type": "invalid_request_error", "code": code, "message": message, "event_id": event_id}
    )


def session() -> RealtimeCodec:
    codec = RealtimeCodec()
    codec.receive(server("session.updated", session={}))
    return codec


def sent(codec: RealtimeCodec) -> list[dict[str, object]]:
    return [json.loads(frame) for frame in codec.frames()]


def test_a_session_speaks_mu_law_both_ways_with_server_voice_detection() -> None:
    tool = ToolSpec("end_call", "Hang up.", {"type": "object", "properties": {}})
    frame = json.loads(session_update("tl_1", SessionSetup("marin", "Be kind.", (tool,), "gpt-transcribe")))
    config = frame["session"]
    assert (frame["type"], frame["event_id"], config["type"]) == ("session.update", "tl_1", "realtime")
    assert config["audio"]["input"]["format"] == config["audio"]["output"]["format"] == {"type": "audio/pcmu"}
    assert config["audio"]["input"]["turn_detection"]["type"] == "server_vad"
    assert config["audio"]["input"]["transcription"] == {"model": "gpt-transcribe"}
    assert config["audio"]["output"]["voice"] == "marin"
    assert config["tools"] == [
        {"type": "function", "name": "end_call", "description": "Hang up."} | {"parameters": tool.parameters}
    ]
    assert "temperature" not in config


def test_callee_audio_is_appended_unchanged() -> None:
    assert json.loads(append(FRAME)) == {"type": "input_audio_buffer.append", "audio": b64encode(FRAME).decode()}


def test_nothing_is_configured_before_the_server_confirms() -> None:
    codec = RealtimeCodec()
    assert codec.receive(server("session.created", session={})) == ()
    assert not codec.is_configured
    codec.receive(server("session.updated", session={}))
    assert codec.is_configured


def test_a_refused_configuration_is_an_error() -> None:
    with pytest.raises(ProviderError) as caught:
        RealtimeCodec().receive(refused("invalid_value", "tl_1"))
    assert caught.value.end_reason is EndReason.PROVIDER_ERROR


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("invalid_api_key", EndReason.PROVIDER_AUTH),
        ("session_expired", EndReason.PROVIDER_CLOSED),
        ("insufficient_quota", EndReason.PROVIDER_ERROR),
    ],
)
def test_some_errors_end_the_session(code: str, reason: EndReason) -> None:
    with pytest.raises(ProviderError) as caught:
        session().receive(refused(code, None))
    assert caught.value.end_reason is reason


def test_a_turn_becomes_our_events() -> None:
    codec = session()
    timeline = [
        (server("input_audio_buffer.speech_started", item_id="u1", audio_start_ms=0), RtSpeechStarted()),
        (server("input_audio_buffer.speech_stopped", item_id="u1", audio_end_ms=900), RtSpeechStopped()),
        (server("input_audio_buffer.committed", item_id="u1", previous_item_id=None), RtCommitted("u1")),
        (audio("a1", "r1"), RtAudio("a1", b"\x7f" * 800)),
        (
            server("response.output_audio_transcript.delta", item_id="a1", response_id="r1", delta="Hi"),
            RtAgentText("a1", "Hi"),
        ),
        (
            server("conversation.item.input_audio_transcription.completed", item_id="u1", transcript=" hello\n"),
            RtCalleeText("u1", "hello"),
        ),
        (item_done("a1"), RtItemDone("a1")),
        (done("r1"), RtResponseDone("completed", ())),
    ]
    assert codec.receive(created("r1")) == ()
    assert [codec.receive(frame) for frame, _ in timeline] == [(event,) for _, event in timeline]


@pytest.mark.parametrize(
    "frame", [b"not json", b"[]", b"{}", b'{"type":"response.done"}', b'{"type":"error"}', b'{"type":7}']
)
def test_a_malformed_frame_changes_nothing(frame: bytes) -> None:
    codec = session()
    assert codec.receive(frame) == ()
    assert codec.frames() == []


def test_an_unknown_event_is_passed_over() -> None:
    assert session().receive(server("response.brand_new.delta", delta="?")) == ()


def test_tools_are_asked_for_by_completed_responses_only() -> None:
    call = {"type": "function_call", "id": "f1", "call_id": "call_1", "name": "end_call", "arguments": '{"why":"bye"}'}
    codec = session()
    assert codec.receive(done("r1", output=[call])) == (
        RtResponseDone("completed", (ToolRequest("call_1", "end_call", {"why": "bye"}),)),
    )
    cancelled = done("r2", "cancelled", output=[call], status_details={"reason": "turn_detected"})
    assert codec.receive(cancelled) == (RtResponseDone("cancelled", (), "turn_detected"),)
    assert codec.receive(item_done("f1", "function_call")) == ()


@pytest.mark.parametrize("arguments", ["{broken", "[1]", "", None])
def test_arguments_that_are_no_object_read_as_none(arguments: str | None) -> None:
    call = {"type": "function_call", "call_id": "call_1", "name": "end_call", "arguments": arguments}
    events = session().receive(done("r1", output=[call]))
    assert events == (RtResponseDone("completed", (ToolRequest("call_1", "end_call", {}),)),)


def test_a_failed_response_says_why() -> None:
    details = {"type": "failed", "error": {"type": "server_error", "code": "rate_limit_exceeded"}}
    assert session().receive(done("r1", "failed", status_details=details)) == (
        RtResponseDone("failed", (), "rate_limit_exceeded"),
    )


def test_the_greeting_asks_for_the_exact_sentence() -> None:
    codec = session()
    codec.ask(verbatim('Say "hi" to Zoë.'))
    (frame,) = sent(codec)
    assert frame["type"] == "response.create"
    assert 'Say "hi" to Zoë.' in str(frame["response"])
    assert codec.is_owed


def test_requests_wait_for_the_response_before_them_and_keep_their_order() -> None:
    codec = session()
    codec.receive(created("r1"))
    codec.ask(None)
    codec.ask({"instructions": "Say goodbye."})
    assert sent(codec) == []
    codec.receive(done("r1"))
    (first,) = sent(codec)
    assert "response" not in first
    codec.receive(created("r2"))
    codec.receive(done("r2"))
    (second,) = sent(codec)
    assert second["response"] == {"instructions": "Say goodbye."}


def test_a_request_that_lost_the_race_is_made_again_once_the_winner_is_done() -> None:
    codec = session()
    codec.ask({"instructions": "Prompt."})
    (asked,) = sent(codec)
    codec.receive(created("r1"))
    assert codec.receive(refused("conversation_already_has_active_response", str(asked["event_id"]))) == ()
    assert sent(codec) == []
    codec.receive(done("r1"))
    (again,) = sent(codec)
    assert again["response"] == {"instructions": "Prompt."}
    assert again["event_id"] != asked["event_id"]


def test_a_request_refused_for_good_ends_as_a_failed_response() -> None:
    codec = session()
    codec.ask(None)
    (asked,) = sent(codec)
    events = codec.receive(refused("rate_limit_exceeded", str(asked["event_id"])))
    assert events == (RtResponseDone("failed", (), "rate_limit_exceeded"),)
    assert not codec.is_owed


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("response_cancel_not_active", ""),
        ("invalid_value", "Audio content of 900ms is already shorter than 950ms"),
        ("unknown_parameter", "something else"),
    ],
)
def test_other_refusals_leave_the_session_alone(code: str, message: str) -> None:
    codec = session()
    assert codec.receive(refused(code, "tl_99", message)) == ()


def test_truncation_never_reaches_beyond_what_was_received() -> None:
    codec = session()
    codec.receive(audio("a1", "r1", size=807))
    codec.cut("a1", 5000)
    (frame,) = sent(codec)
    assert (frame["item_id"], frame["content_index"], frame["audio_end_ms"]) == ("a1", 0, 100)


def test_truncation_keeps_what_was_heard() -> None:
    codec = session()
    codec.receive(audio("a1", "r1", size=8000))
    codec.cut("a1", 333)
    assert [frame["audio_end_ms"] for frame in sent(codec)] == [333]


def test_an_item_without_audio_or_heard_to_its_end_is_not_cut() -> None:
    codec = session()
    codec.cut("a1", 0)
    codec.receive(audio("a2", "r1", size=800))
    codec.receive(item_done("a2"))
    codec.cut("a2", 100)
    assert sent(codec) == []


def test_late_audio_of_a_cut_response_is_dropped_and_the_next_one_is_heard() -> None:
    codec = session()
    codec.receive(audio("a1", "r1"))
    codec.cut("a1", 50)
    assert codec.receive(audio("a1", "r1")) == ()
    assert codec.receive(audio("a1b", "r1")) == ()
    assert codec.receive(audio("a2", "r2")) == (RtAudio("a2", b"\x7f" * 800),)


def test_audio_after_the_end_of_its_response_is_dropped() -> None:
    codec = session()
    codec.receive(audio("a1", "r1"))
    codec.receive(done("r1", "cancelled"))
    assert codec.receive(audio("a1", "r1")) == ()


def test_items_of_one_response_are_counted_apart() -> None:
    codec = session()
    codec.receive(audio("a1", "r1", size=800))
    codec.receive(audio("a2", "r1", size=1600))
    codec.cut("a2", 5000)
    assert [frame["audio_end_ms"] for frame in sent(codec)] == [200]


def test_a_long_call_forgets_old_items() -> None:
    codec = session()
    for number in range(100):
        codec.receive(audio(f"a{number}", f"r{number}"))
    codec.cut("a0", 10)
    assert sent(codec) == []


def said(item_id: str, response_id: str, text: str) -> bytes:
    return server("response.output_audio_transcript.delta", item_id=item_id, response_id=response_id, delta=text)


def test_a_following_session_is_told_what_was_said_and_heard() -> None:
    codec = session()
    codec.receive(said("a1", "r1", "one two "))
    codec.receive(said("a1", "r1", "three four"))
    codec.receive(audio("a1", "r1", size=8000))
    codec.cut("a1", 500)
    codec.receive(server("input_audio_buffer.committed", item_id="u1"))
    codec.receive(said("a2", "r2", "yes"))
    codec.receive(server("conversation.item.input_audio_transcription.completed", item_id="u1", transcript="wait"))
    codec.receive(server("input_audio_buffer.committed", item_id="u2"))
    turns = RealtimeCodec(codec.items).items.turns()
    assert turns == (("assistant", "one two t"), ("user", "wait"), ("assistant", "yes"))
    assert [json.loads(remember("tl_1", role, text))["item"]["content"] for role, text in turns[:2]] == [
        [{"type": "output_text", "text": "one two t"}],
        [{"type": "input_text", "text": "wait"}],
    ]


def test_a_session_is_quiet_only_when_nothing_is_going_on() -> None:
    codec = session()
    call = {"type": "function_call", "call_id": "call_1", "name": "end_call", "arguments": "{}"}
    quiet = [codec.is_quiet]
    for frame in (
        server("input_audio_buffer.speech_started", item_id="u1"),
        server("input_audio_buffer.speech_stopped", item_id="u1"),
        created("r1"),
        done("r1", output=[call]),
    ):
        codec.receive(frame)
        quiet.append(codec.is_quiet)
    codec.give_results((("call_1", "{}"),))
    assert [*quiet, codec.is_quiet] == [True, False, False, False, False, True]


def test_tool_results_go_before_the_request_for_the_next_response() -> None:
    codec = session()
    codec.give_results((("call_1", '{"ok":true}'), ("call_2", "{}")))
    codec.ask(None)
    frames = sent(codec)
    assert [frame["type"] for frame in frames] == ["conversation.item.create"] * 2 + ["response.create"]
    assert frames[0]["item"] == {"type": "function_call_output", "call_id": "call_1", "output": '{"ok":true}'}
    assert len({str(frame["event_id"]) for frame in frames}) == 3
