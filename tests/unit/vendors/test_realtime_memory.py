"""The realtime codec's memory: whose response is next, what was heard of it, and what a following session is told."""

import json

from media.ports import RtAudio, RtResponseDone
from media.realtime.client_frames import remember, verbatim
from media.realtime.server_frames import RealtimeCodec
from tests.unit.vendors.realtime_frames import audio, created, done, item_done, refused, said, sent, server, session


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
