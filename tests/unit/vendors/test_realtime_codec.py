"""The realtime codec's frames: what the server says, what we yield, and what ends a session."""

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
from media.realtime.client_frames import SessionSetup, append, session_update
from media.realtime.server_frames import RealtimeCodec
from schema.outcomes import EndReason
from tests.unit.vendors.realtime_frames import audio, created, done, item_done, refused, server, session

FRAME = b"\xff" * 160


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
