"""A realtime speech-to-speech model: server voice detection, transcripts and canned replies, in the GA event shapes."""

import asyncio
import itertools
from binascii import a2b_base64

import orjson

from bench.outside.phones import Exchange
from bench.outside.providers import PIECE_BASE64, THINK_S, Ear, Mouth
from bench.outside.wire import Connection, Session

QUIET_FRAMES = 25
TRANSCRIPT_S = 0.15
SESSION = {"id": "sess_1", "type": "realtime"}
_numbers = itertools.count(1)


class RealtimeModel(Session):
    """One session."""

    def __init__(self, exchange: Exchange) -> None:
        self._ear = Ear(exchange, QUIET_FRAMES, self._speech_began, self._speech_ended)
        self._loop = asyncio.get_running_loop()
        self._connection: Connection
        self._mouth: Mouth | None = None
        self._response = self._item = self._callee_item = ""
        self._audio_head = b""

    def opened(self, connection: Connection) -> None:
        """Greet the client."""
        self._connection = connection
        self._tell("session.created", session=SESSION)

    def closed(self) -> None:
        """Stop."""
        if self._mouth is not None:
            self._mouth.stop()

    def text(self, payload: bytes) -> None:
        """Take a client event."""
        event = orjson.loads(payload)
        kind = event["type"]
        if kind == "input_audio_buffer.append":
            self._ear.hear(a2b_base64(event["audio"]))
        elif kind == "session.update":
            self._tell("session.updated", session=SESSION | event["session"])
        elif kind == "response.create":
            self._respond()
        elif kind == "conversation.item.truncate":
            fields = {name: event[name] for name in ("item_id", "content_index", "audio_end_ms")}
            self._tell("conversation.item.truncated", **fields)

    def _speech_began(self) -> None:
        self._callee_item = f"item_{next(_numbers)}"
        self._ear.note_interruption()
        self._tell("input_audio_buffer.speech_started", audio_start_ms=0, item_id=self._callee_item)
        if self._mouth is not None:
            self._mouth.stop()
            self._done("cancelled")

    def _speech_ended(self) -> None:
        item = self._callee_item
        self._tell("input_audio_buffer.speech_stopped", audio_end_ms=0, item_id=item)
        self._tell("input_audio_buffer.committed", previous_item_id=None, item_id=item)
        self._loop.call_later(TRANSCRIPT_S, self._transcribed, item)
        self._respond()

    def _transcribed(self, item: str) -> None:
        kind = "conversation.item.input_audio_transcription.completed"
        self._tell(kind, item_id=item, content_index=0, transcript="yes, i see, and then?")

    def _respond(self) -> None:
        number = next(_numbers)
        self._response, self._item = f"resp_{number}", f"item_{number}"
        place = {"response_id": self._response, "item_id": self._item, "output_index": 0, "content_index": 0}
        self._audio_head = _event("response.output_audio.delta", place)[:-1] + b',"delta":"'
        self._tell("response.created", response={"id": self._response, "status": "in_progress"})
        self._mouth = Mouth(self._ear.phone, self._speak, self._finish)
        self._mouth.begin(THINK_S)

    def _speak(self, piece: int) -> None:
        self._connection.send_text(self._audio_head + PIECE_BASE64 + b'"}')
        place = {"response_id": self._response, "item_id": self._item, "output_index": 0, "content_index": 0}
        self._connection.send_text(_event("response.output_audio_transcript.delta", place | {"delta": f"word{piece} "}))

    def _finish(self) -> None:
        self._done("completed")

    def _done(self, status: str) -> None:
        self._mouth = None
        item = {"id": self._item, "type": "message", "role": "assistant", "status": status}
        self._tell("response.output_item.done", response_id=self._response, output_index=0, item=item)
        self._tell("response.done", response={"id": self._response, "status": status, "output": [item]})

    def _tell(self, kind: str, **fields: object) -> None:
        self._connection.send_text(_event(kind, fields))


def _event(kind: str, fields: dict[str, object]) -> bytes:
    return orjson.dumps({"type": kind, "event_id": f"event_{next(_numbers)}", **fields})
