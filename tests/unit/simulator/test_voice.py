"""What the voice says can be read back, whatever a telephone line does to it."""

import struct
import wave
from pathlib import Path

import numpy as np
import pytest

from deploy.simulator import mulaw
from deploy.simulator.voice import (
    ALPHABET,
    Decoder,
    canonical,
    decode_mulaw,
    decode_pcm16,
    decode_wav_stereo,
    silence,
    speak,
    speech_ms,
)

SENTENCE = 'Hello, this is Anna! "Balloon" costs $9.99 at 10:45; call +1 (555) 010-0199 aaa bookkeeper mississippi?'


def _mixed(speech: bytes, noise_db: float, gain: float) -> bytes:
    noise = np.random.default_rng(7).normal(0, 8192 * 10 ** (noise_db / 20), len(speech))
    return mulaw.encode(np.clip((mulaw.decode(speech) + noise) * gain, -32768, 32767).astype(np.int16))


def test_the_alphabet_has_64_different_symbols() -> None:
    assert len(ALPHABET) == len(set(ALPHABET)) == 64


def test_every_symbol_is_heard_as_itself_alone_and_doubled() -> None:
    for symbol in ALPHABET.replace(" ", ""):
        assert decode_mulaw(speak(symbol)) == symbol
        assert decode_mulaw(speak(symbol * 2)) == symbol * 2


def test_a_symbol_lasts_three_frames() -> None:
    assert len(speak("abc")) == 3 * 3 * mulaw.FRAME_BYTES
    assert speech_ms("abc") == 180


def test_text_is_spoken_in_canonical_form() -> None:
    assert canonical("  It\u2019s  \u201cna\u00efve\u201d \u2014 \u0645  ") == 'it\'s "naive" - *'
    assert decode_mulaw(speak(SENTENCE)) == canonical(SENTENCE)


@pytest.mark.parametrize("offset_bytes", [1, 33, 79, 80, 81, 120, 159, 200, 333, 479])
@pytest.mark.parametrize("noise_db", [-60.0, -20.0, -6.0])
def test_any_frame_alignment_under_noise_is_understood(offset_bytes: int, noise_db: float) -> None:
    heard = decode_mulaw(_mixed(silence(40)[:offset_bytes] + speak(SENTENCE) + silence(40), noise_db, 1.0))
    assert heard == canonical(SENTENCE)


@pytest.mark.parametrize("gain", [0.02, 0.1, 0.5, 2.0, 4.0])
def test_gain_does_not_change_the_words(gain: float) -> None:
    assert decode_mulaw(_mixed(speak(SENTENCE), -30.0, gain)) == canonical(SENTENCE)


@pytest.mark.parametrize("cut_bytes", [480 * 10, 480 * 10 + 90, 480 * 10 + 240, 480 * 10 + 470])
def test_a_cut_utterance_reads_as_its_heard_prefix(cut_bytes: int) -> None:
    heard = decode_mulaw(speak(SENTENCE)[:cut_bytes])
    assert canonical(SENTENCE).startswith(heard)
    assert len(heard) in {10, 11}


def test_a_lost_or_a_silent_frame_inside_a_word_changes_nothing() -> None:
    speech = speak("bookkeeper")
    for at in range(0, len(speech), 160):
        assert decode_mulaw(speech[:at] + mulaw.SILENCE_FRAME + speech[at:]) == "bookkeeper"


def test_a_pause_between_utterances_reads_as_a_space() -> None:
    assert decode_mulaw(speak("one.") + silence(120) + speak("two.")) == "one. two."
    assert decode_mulaw(speak("one.") + speak("two.")) == "one.two."


def test_noise_without_a_voice_says_nothing() -> None:
    noise = np.random.default_rng(3).normal(0, 3000, 8000 * 10).astype(np.int16)
    assert decode_mulaw(mulaw.encode(noise)) == ""


def test_the_streaming_decoder_hears_pieces_of_any_size_and_knows_when() -> None:
    stream = silence(100) + speak("hello there") + silence(300)
    decoder = Decoder()
    for at in range(0, len(stream), 137):
        decoder.feed(stream[at : at + 137])
    assert decoder.text == "hello there"
    assert [(s.symbol, s.start_ms) for s in decoder.symbols[:3]] == [("h", 100), ("e", 160), ("l", 220)]
    assert decoder.quiet_ms == 300
    assert decoder.voiced_ms == 0


def test_the_decoder_tells_how_long_the_voice_has_sounded() -> None:
    decoder = Decoder()
    decoder.feed(silence(60) + speak("abcd"))
    assert (decoder.voiced_ms, decoder.quiet_ms) == (240, 0)


def test_wider_samples_are_understood_after_decimation() -> None:
    narrow = mulaw.decode(speak("wide band"))
    assert decode_pcm16(np.repeat(narrow, 3), 24000) == "wide band"
    with pytest.raises(ValueError, match="multiple of 8000"):
        decode_pcm16(narrow, 11025)


def test_mulaw_survives_a_round_trip_of_every_byte() -> None:
    every = bytes(range(256))
    back = mulaw.encode(mulaw.decode(every))
    assert back == every.replace(b"\x7f", b"\xff")


def test_both_channels_of_a_recording_are_read(tmp_path: Path) -> None:
    left, right = speak("callee here"), silence(100) + speak("agent")
    right += silence(1000)[: len(left) - len(right)]
    pcm, companded = tmp_path / "pcm.wav", tmp_path / "mulaw.wav"
    with wave.open(str(pcm), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(np.stack([mulaw.decode(left), mulaw.decode(right)], axis=1).tobytes())
    woven = np.stack([np.frombuffer(left, np.uint8), np.frombuffer(right, np.uint8)], axis=1).tobytes()
    header = struct.pack("<4sI4s4sIHHIIHH", b"RIFF", 0, b"WAVE", b"fmt ", 16, 7, 2, 8000, 16000, 2, 8)
    companded.write_bytes(header + struct.pack("<4sI", b"data", 0xFFFFFFFF) + woven)
    assert decode_wav_stereo(pcm) == decode_wav_stereo(companded) == ("callee here", "agent")


def test_a_file_that_is_no_stereo_wav_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "not.wav"
    path.write_bytes(b"not a recording at all")
    with pytest.raises(ValueError, match="no WAV file"):
        decode_wav_stereo(path)
