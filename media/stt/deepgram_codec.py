"""Frames of Deepgram's live recogniser (listen v1, Nova), and the rule that assembles turns from them. No I/O.

A turn opens with speech or its first words, and ends at `speech_final`, or at `UtteranceEnd` when that did not come; an
`UtteranceEnd` about words of a turn already ended is ignored. Empty finals are common and mean nothing. Both ends can
be missing in noise, so `overdue` lets a clock end the turn, with what was understood so far. Source: Deepgram, live
audio and end of speech detection.
"""

import orjson
import structlog

from media.errors import ProviderError
from media.ports import Heard, SpeechEnded, SpeechStarted, SttEvent
from media.stt.deepgram_socket import PROVIDER
from schema.outcomes import EndReason

KEEP_ALIVE = '{"type":"KeepAlive"}'
CLOSE_STREAM = '{"type":"CloseStream"}'

_log = structlog.get_logger()


class ListenCodec:
    """Reads the frames of one recogniser.

    Attributes:
        is_open: a turn has begun and not ended.
        heard_until_s: position in the socket's audio up to which transcripts are final.
    """

    __slots__ = ("_given_up", "_last_text", "_turn_ended_s", "heard_until_s", "is_open")

    def __init__(self) -> None:
        self.is_open = False
        self.heard_until_s = 0.0
        self._turn_ended_s = -1.0
        self._last_text = self._given_up = ""

    def restart(self) -> None:
        """Note that a new socket counts its audio from zero; an open turn stays open."""
        self.heard_until_s, self._turn_ended_s = 0.0, -1.0

    def overdue(self) -> tuple[SttEvent, ...]:
        """End a turn whose end never came; words that were not final yet count, and not a second time."""
        text, self._last_text = self._last_text, ""
        if not text:
            return self._end()
        self._given_up = text
        return (*self._begin(), Heard(text, final=True), *self._end())

    def receive(self, message: str | bytes) -> tuple[SttEvent, ...]:
        """Read one frame; a malformed or unknown one is passed over.

        Raises:
            ProviderError: It is an error report.
        """
        try:
            frame = orjson.loads(message)
            kind = frame["type"]
            if kind == "Results":
                return self._results(frame)
            if kind == "SpeechStarted":
                return self._begin()
            if kind == "UtteranceEnd":
                return () if 0 <= frame["last_word_end"] <= self._turn_ended_s else self._end()
        except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
            _log.warning("stt.malformed_frame", fault=type(error).__name__)
            return ()
        if kind == "Error":
            detail = str(frame.get("description") or frame.get("message"))[:200]
            raise ProviderError(PROVIDER, detail, EndReason.PROVIDER_ERROR)
        return ()

    def _results(self, frame: dict[str, object]) -> tuple[SttEvent, ...]:
        channel = frame["channel"]
        text = str(channel["alternatives"][0]["transcript"]).strip()  # type: ignore[index]
        final = bool(frame.get("is_final"))
        end_s = float(frame["start"]) + float(frame["duration"])  # type: ignore[arg-type]
        events: tuple[SttEvent, ...] = ()
        if final:
            text, self._given_up = "" if text == self._given_up else text, ""
        if text and (final or text != self._last_text):
            events = (*self._begin(), Heard(text, final=final))
        if final:
            self.heard_until_s = end_s
        self._last_text = "" if final else text
        if frame.get("speech_final"):
            self._turn_ended_s = end_s
            events = (*events, *self._end())
        return events

    def _begin(self) -> tuple[SttEvent, ...]:
        if self.is_open:
            return ()
        self.is_open = True
        return (SpeechStarted(),)

    def _end(self) -> tuple[SttEvent, ...]:
        if not self.is_open:
            return ()
        self.is_open = False
        return (SpeechEnded(),)
