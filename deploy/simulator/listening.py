"""Turns a stream of speech into Deepgram's Results, SpeechStarted and UtteranceEnd over the audio's own clock. No I/O.

A segment is final when the speaker pauses (`endpointing`, then also `speech_final`), when it grows long, or when asked.
Source: Deepgram, Nova streaming: end of speech detection, interim results.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from deploy.simulator import mulaw
from deploy.simulator.deepgram_options import ListenOptions
from deploy.simulator.voice import SYMBOL_MS, WORD_GAP_MS, DecodedSymbol, Decoder

Json = dict[str, Any]

_INTERIM_EVERY_MS: Final = 300
_LONGEST_SEGMENT_MS: Final = 5000
_LEAST_PAUSE_MS: Final = 60
_ONSET_MS: Final = 40
_CONFIDENCE: Final = 0.99
_PUNCTUATION: Final = re.compile(r"[^\w'@&%$#+-]+")
_CANNED_TEXT: Final = "yes, i see."


@dataclass(frozen=True, slots=True)
class Word:
    """One word heard, with its place in the stream."""

    text: str
    start_ms: int
    end_ms: int


def words_of(symbols: Sequence[DecodedSymbol]) -> list[Word]:
    """Split symbols into words at spaces and at gaps."""
    words: list[Word] = []
    current: list[DecodedSymbol] = []
    for symbol in symbols:
        if current and symbol.start_ms - current[-1].end_ms >= WORD_GAP_MS:
            words.append(_word(current))
            current = []
        if symbol.symbol != " ":
            current.append(symbol)
        elif current:
            words.append(_word(current))
            current = []
    return [*words, _word(current)] if current else words


def _word(symbols: list[DecodedSymbol]) -> Word:
    return Word("".join(s.symbol for s in symbols), symbols[0].start_ms, symbols[-1].end_ms)


class CannedEar(Decoder):
    """Hears the same words in any sound, for benches."""

    def feed(self, mulaw_bytes: bytes) -> list[DecodedSymbol]:
        """Hear the next bytes; whatever is not digital silence is speech."""
        frames = len(mulaw_bytes) // mulaw.FRAME_BYTES
        self.heard_ms += frames * mulaw.FRAME_MS
        if mulaw_bytes.count(mulaw.SILENCE_BYTE) == len(mulaw_bytes):
            self.quiet_ms += frames * mulaw.FRAME_MS
            self.voiced_ms = 0
            return []
        began = self.quiet_ms > 0 or not self.symbols
        self.quiet_ms = 0
        self.voiced_ms += frames * mulaw.FRAME_MS
        if began:
            at = self.heard_ms
            self.symbols += [
                DecodedSymbol(c, at + i * SYMBOL_MS, at + (i + 1) * SYMBOL_MS) for i, c in enumerate(_CANNED_TEXT)
            ]
        return []


class Listening:
    """One listening socket's transcript.

    Attributes:
        lose_speech_final: the next pause ends its segment without `speech_final`, as in noise.
    """

    def __init__(self, options: ListenOptions, metadata: Json, *, canned: bool = False) -> None:
        self.lose_speech_final = False
        self._options = options
        self._metadata = metadata
        self._ear: Decoder = CannedEar() if canned else Decoder()
        self._rest = b""
        self._first_symbol = 0
        self._segment_ms = 0
        self._told_symbols = 0
        self._told_ms = 0
        self._speaking = False
        self._last_word_ms: int | None = None

    @property
    def duration_s(self) -> float:
        """Audio received so far."""
        return self._ear.heard_ms / 1000

    def feed(self, audio: bytes) -> list[Json]:
        """Hear mu-law audio of any length and return what Deepgram says about it."""
        data = self._rest + audio if self._rest else audio
        whole = len(data) // mulaw.FRAME_BYTES * mulaw.FRAME_BYTES
        self._rest = data[whole:]
        said: list[Json] = []
        for at in range(0, whole, mulaw.FRAME_BYTES):
            self._ear.feed(data[at : at + mulaw.FRAME_BYTES])
            said += self._follow()
        return said

    def finalize(self) -> Json:
        """End the segment now, because the client asked."""
        return self._final(speech_final=True, from_finalize=True)

    def close(self) -> list[Json]:
        """End the stream."""
        return [self._final(speech_final=True)] if self._unfinished() else []

    def _unfinished(self) -> Sequence[DecodedSymbol]:
        return self._ear.symbols[self._first_symbol :]

    def _follow(self) -> list[Json]:
        ear = self._ear
        if ear.voiced_ms >= _ONSET_MS and not self._speaking:
            self._speaking = True
            if self._options.vad_events:
                at_s = (ear.heard_ms - ear.voiced_ms) / 1000
                return [{"type": "SpeechStarted", "channel": [0], "timestamp": at_s}]
        if self._speaking and ear.quiet_ms == 0:
            return self._in_speech()
        return self._in_pause() if ear.quiet_ms else []

    def _in_speech(self) -> list[Json]:
        now_ms, known = self._ear.heard_ms, len(self._ear.symbols)
        if now_ms - self._segment_ms >= _LONGEST_SEGMENT_MS and self._last_space() > self._first_symbol:
            return [self._final(speech_final=False, upto=self._last_space())]
        due = now_ms - self._told_ms >= _INTERIM_EVERY_MS and known > max(self._told_symbols, self._first_symbol)
        if not (self._options.interim and due):
            return []
        self._told_ms, self._told_symbols = now_ms, known
        return [self._results(self._unfinished(), is_final=False, speech_final=False)]

    def _last_space(self) -> int:
        symbols = self._ear.symbols
        for at in range(len(symbols) - 1, self._first_symbol, -1):
            if symbols[at].symbol == " ":
                return at
        return self._first_symbol

    def _in_pause(self) -> list[Json]:
        said: list[Json] = []
        options, quiet_ms = self._options, self._ear.quiet_ms
        pause_ms = None if options.endpointing_ms is None else max(options.endpointing_ms, _LEAST_PAUSE_MS)
        if self._speaking and pause_ms is not None and quiet_ms >= pause_ms:
            self._speaking = False
            if self._unfinished():
                said.append(self._final(speech_final=not self.lose_speech_final))
                self.lose_speech_final = False
        if options.utterance_end_ms is not None and quiet_ms >= options.utterance_end_ms:
            said += self._utterance_end()
        return said

    def _utterance_end(self) -> list[Json]:
        self._speaking = False
        said = [self._final(speech_final=False)] if self._unfinished() else []
        last_ms, self._last_word_ms = self._last_word_ms, None
        if last_ms is not None:
            said.append({"type": "UtteranceEnd", "channel": [0, 1], "last_word_end": last_ms / 1000})
        return said

    def _final(self, *, speech_final: bool, from_finalize: bool = False, upto: int | None = None) -> Json:
        symbols = self._ear.symbols[self._first_symbol : upto]
        result = self._results(symbols, is_final=True, speech_final=speech_final, from_finalize=from_finalize)
        if symbols:
            self._last_word_ms = symbols[-1].end_ms
        self._first_symbol = len(self._ear.symbols) if upto is None else upto
        self._told_ms = self._ear.heard_ms
        self._segment_ms = self._told_ms if upto is None else self._ear.symbols[upto].start_ms
        return result

    def _results(
        self, symbols: Sequence[DecodedSymbol], *, is_final: bool, speech_final: bool, from_finalize: bool = False
    ) -> Json:
        words = [self._word(word) for word in words_of(symbols)]
        shown = "punctuated_word" if self._options.punctuate else "word"
        alternative: Json = {
            "transcript": " ".join(str(word[shown]) for word in words).strip(),
            "confidence": _CONFIDENCE if words else 0.0,
            "words": words,
        }
        if self._options.language == "multi":
            alternative["languages"] = ["en"] if words else []
        return {
            "type": "Results",
            "channel_index": [0, 1],
            "duration": (self._ear.heard_ms - self._segment_ms) / 1000,
            "start": self._segment_ms / 1000,
            "is_final": is_final,
            "speech_final": speech_final,
            "channel": {"alternatives": [alternative]},
            "metadata": self._metadata,
            "from_finalize": from_finalize,
        }

    def _word(self, word: Word) -> Json:
        heard: Json = {
            "word": _PUNCTUATION.sub("", word.text) or word.text,
            "start": word.start_ms / 1000,
            "end": word.end_ms / 1000,
            "confidence": _CONFIDENCE,
        }
        if self._options.punctuate:
            heard["punctuated_word"] = word.text
        if self._options.language == "multi":
            heard["language"] = "en"
        return heard
