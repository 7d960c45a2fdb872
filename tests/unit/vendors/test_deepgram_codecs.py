"""Deepgram's frames become turns and utterances, also when the ends of them are missing, late or doubled."""

import json

import pytest

from media.errors import ProviderError
from media.ports import Heard, SpeechEnded, SpeechStarted, SttEvent
from media.stt.backlog import Backlog
from media.stt.deepgram_codec import ListenCodec
from media.stt.replay import Replay
from media.tts.deepgram_codec import CLEAR, FLUSH, SpeakCodec

AUDIO = b"\x7f" * 400


def results(text: str, *, start: float = 0.0, final: bool = False, speech_final: bool = False) -> str:
    channel = {"alternatives": [{"transcript": text, "confidence": 0.9, "words": []}]}
    frame = {"type": "Results", "start": start, "duration": 1.0, "is_final": final, "speech_final": speech_final}
    return json.dumps(frame | {"channel_index": [0, 1], "channel": channel})


def utterance_end(last_word_end: float) -> str:
    return json.dumps({"type": "UtteranceEnd", "channel": [0, 1], "last_word_end": last_word_end})


STARTED = json.dumps({"type": "SpeechStarted", "channel": [0, 1], "timestamp": 0.1})


def heard(codec: ListenCodec, *messages: str) -> list[SttEvent]:
    return [event for message in messages for event in codec.receive(message)]


def test_a_turn_ends_at_speech_final() -> None:
    events = heard(
        ListenCodec(),
        STARTED,
        results("hello"),
        results("hello there", final=True),
        results("friend", start=1.0, final=True, speech_final=True),
        utterance_end(1.9),
    )
    assert events == [
        SpeechStarted(),
        Heard("hello", False),
        Heard("hello there", True),
        Heard("friend", True),
        SpeechEnded(),
    ]


def test_an_utterance_end_closes_a_turn_that_speech_final_missed() -> None:
    events = heard(ListenCodec(), results("four two", final=True), utterance_end(0.9), utterance_end(0.9))
    assert events == [SpeechStarted(), Heard("four two", True), SpeechEnded()]


def test_an_utterance_end_about_the_turn_before_leaves_the_new_one_open() -> None:
    codec = ListenCodec()
    heard(codec, results("yes", final=True, speech_final=True), STARTED)
    assert heard(codec, utterance_end(0.8)) == []
    assert codec.is_open


def test_empty_finals_and_repeated_interims_say_nothing() -> None:
    codec = ListenCodec()
    assert heard(codec, results("", final=True), results("", final=True, speech_final=True)) == []
    assert heard(codec, results("hm"), results("hm"), STARTED) == [SpeechStarted(), Heard("hm", False)]


def test_an_empty_final_can_still_end_the_turn() -> None:
    codec = ListenCodec()
    heard(codec, results("bye", final=True))
    assert heard(codec, results("", start=1.0, final=True, speech_final=True)) == [SpeechEnded()]


def test_noise_that_never_ends_is_ended_by_the_clock_once() -> None:
    codec = ListenCodec()
    heard(codec, STARTED)
    assert codec.overdue() == (SpeechEnded(),)
    assert codec.overdue() == ()


@pytest.mark.parametrize(
    "frame", ["not json", "{}", '{"type":"Results"}', '{"type":"Metadata"}', '{"type":"New"}', "[]"]
)
def test_a_frame_that_says_nothing_is_passed_over(frame: str) -> None:
    assert heard(ListenCodec(), frame) == []


def test_an_error_report_is_an_error() -> None:
    with pytest.raises(ProviderError, match="too many"):
        ListenCodec().receive('{"type":"Error","variant":"X","description":"too many","message":"m"}')


def test_finals_move_the_position_up_to_which_audio_is_heard() -> None:
    codec = ListenCodec()
    heard(codec, results("a", start=0.0, final=True), results("b", start=1.0))
    assert codec.heard_until_s == 1.0
    codec.restart()
    assert codec.heard_until_s == 0.0


def test_replay_gives_what_no_final_covers() -> None:
    replay = Replay(limit_s=5.0)
    for number in range(10):
        replay.keep(bytes([number]) * 160)
    replay.heard_until(0.1)
    assert replay.restart() == b"".join(bytes([number]) * 160 for number in range(5, 10))


def test_replay_counts_from_zero_again_on_a_new_socket() -> None:
    replay = Replay(limit_s=5.0)
    for number in range(10):
        replay.keep(bytes([number]) * 160)
    replay.heard_until(0.1)
    replay.restart()
    replay.heard_until(0.04)
    assert replay.restart() == b"".join(bytes([number]) * 160 for number in range(7, 10))


def test_replay_is_bounded_and_stays_aligned() -> None:
    replay = Replay(limit_s=0.1)
    for number in range(10):
        replay.keep(bytes([number]) * 160)
    replay.heard_until(0.12)
    assert replay.restart() == b"".join(bytes([number]) * 160 for number in range(6, 10))


def test_a_backlog_keeps_the_latest_and_counts_the_rest() -> None:
    backlog = Backlog(frames_max=2)
    for frame in (b"a", b"b", b"c"):
        backlog.keep(frame)
    assert backlog.dropped_frames == 1
    assert backlog.before(b"d") == b"bcd"
    assert backlog.before(b"e") == b"e"


def test_an_utterance_is_its_audio_up_to_flushed() -> None:
    codec = SpeakCodec()
    assert json.loads(codec.speak('Say "hi"')) == {"type": "Speak", "text": 'Say "hi" '}
    assert codec.receive('{"type":"Metadata","request_id":"r"}') == ()
    assert codec.receive(AUDIO) == (AUDIO,)
    assert codec.flush(0.0) == FLUSH
    assert codec.receive(AUDIO) == (AUDIO,)
    assert codec.receive('{"type":"Flushed","sequence_id":0}') == (None,)
    assert not codec.is_busy


def test_nothing_of_a_cancelled_utterance_is_heard() -> None:
    codec = SpeakCodec()
    codec.speak("one")
    codec.flush(0.0)
    assert codec.clear() == CLEAR
    codec.speak("two")
    trailing: list[str | bytes] = [AUDIO, '{"type":"Flushed","sequence_id":0}', AUDIO]
    assert [codec.receive(frame) for frame in trailing] == [(), (), ()]
    assert codec.receive('{"type":"Cleared","sequence_id":1}') == ()
    assert codec.receive(AUDIO) == (AUDIO,)


def test_two_clears_wait_for_two_answers() -> None:
    codec = SpeakCodec()
    for text in ("one", "two"):
        codec.speak(text)
        codec.clear()
    codec.speak("three")
    codec.receive('{"type":"Cleared","sequence_id":0}')
    assert codec.receive(AUDIO) == ()
    codec.receive('{"type":"Cleared","sequence_id":1}')
    assert codec.receive(AUDIO) == (AUDIO,)


def test_there_is_nothing_to_flush_or_clear_in_silence() -> None:
    codec = SpeakCodec()
    assert codec.flush(0.0) is None
    assert codec.clear() is None
    codec.speak("one")
    assert codec.flush(0.0) == FLUSH
    assert codec.flush(0.0) is None


def test_the_flush_budget_is_twenty_in_any_minute() -> None:
    codec = SpeakCodec()
    for second in range(20):
        assert codec.flush_wait_s(float(second)) == 0.0
        codec.speak("x")
        codec.flush(float(second))
        codec.receive('{"type":"Flushed","sequence_id":0}')
    assert codec.flush_wait_s(20.0) == 40.0
    assert codec.flush_wait_s(60.0) == 0.0


@pytest.mark.parametrize("frame", ["not json", "{}", '{"type":"Warning","code":"X"}', '{"type":"New"}'])
def test_a_voice_frame_that_says_nothing_is_passed_over(frame: str) -> None:
    codec = SpeakCodec()
    codec.speak("x")
    assert codec.receive(frame) == ()


def test_words_not_yet_final_count_when_the_clock_ends_the_turn_and_not_again() -> None:
    codec = ListenCodec()
    heard(codec, STARTED, results("two tickets"))
    assert codec.overdue() == (Heard("two tickets", final=True), SpeechEnded())
    assert heard(codec, results("two tickets", final=True, speech_final=True)) == []
    assert heard(codec, results("please", start=1.0, final=True)) == [SpeechStarted(), Heard("please", final=True)]
