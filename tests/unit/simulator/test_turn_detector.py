"""Server-side turns depend on the audio alone."""

import numpy as np

from deploy.simulator import mulaw
from deploy.simulator.realtime_session import new_session
from deploy.simulator.turn_detector import SpeechStarted, SpeechStopped, TurnDetector
from deploy.simulator.voice import silence, speak, speech_ms

VAD = new_session("s", "m", 0)["audio"]["input"]["turn_detection"] | {"silence_duration_ms": 500}
SEMANTIC = {"type": "semantic_vad", "eagerness": "high", "create_response": True, "interrupt_response": True}


def test_speech_starts_with_its_padding_and_stops_after_the_silence() -> None:
    events = TurnDetector().feed(silence(1000) + speak("hello there") + silence(600), VAD)
    said_ms = speech_ms("hello there")
    assert events == [SpeechStarted(700), SpeechStopped(1000 + said_ms + 500, 700, "hello there")]


def test_pieces_of_any_size_give_the_same_turns() -> None:
    sound = silence(1000) + speak("hello there") + silence(600)
    detector, events = TurnDetector(), []
    for at in range(0, len(sound), 333):
        events += detector.feed(sound[at : at + 333], VAD)
    assert events == TurnDetector().feed(sound, VAD)


def test_background_noise_is_no_speech_and_does_not_spoil_the_words() -> None:
    quiet = mulaw.decode(silence(800) + speak("can you hear me?") + silence(800))
    noise = np.random.default_rng(5).normal(0, 600, quiet.size)
    events = TurnDetector().feed(mulaw.encode((quiet + noise).astype(np.int16)), VAD)
    assert [e.text for e in events if isinstance(e, SpeechStopped)] == ["can you hear me?"]


def test_semantic_detection_waits_longer_for_an_unfinished_sentence() -> None:
    finished = TurnDetector().feed(speak("i am done.") + silence(400), SEMANTIC)
    unfinished = TurnDetector().feed(speak("well, i think") + silence(400), SEMANTIC)
    assert [type(event) for event in finished] == [SpeechStarted, SpeechStopped]
    assert [type(event) for event in unfinished] == [SpeechStarted]


def test_without_detection_the_client_takes_what_was_said() -> None:
    detector = TurnDetector()
    assert detector.feed(speak("take me") + silence(200), None) == []
    assert (detector.buffered_ms, detector.take(), detector.buffered_ms) == (620, "take me", 0)
    detector.feed(silence(20) + speak("and me"), None)
    assert detector.take() == "and me"
