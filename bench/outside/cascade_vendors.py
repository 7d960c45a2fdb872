"""The three vendors of a cascade: a recogniser, a chat model and a voice, in Deepgram's and OpenAI's wire shapes.

The callee's words name the phone, the model repeats it, and so the voice knows whom it speaks to.
"""

import asyncio
import re

import orjson

from bench.outside.phones import Exchange, Phone
from bench.outside.providers import PIECE, THINK_S, Ear, Mouth
from bench.outside.wire import Connection, Request, Session

QUIET_FRAMES = 15
_PARTIAL_S = 0.3
_TOKEN_S = 0.002
_LINE = re.compile(r"line (\d+)")


def _words(phone: Phone | None) -> str:
    return f"wait a moment please, this is line {phone.number if phone is not None else 0}"


class Recogniser(Session):
    """One listening socket."""

    def __init__(self, exchange: Exchange) -> None:
        self._ear = Ear(exchange, QUIET_FRAMES, self._speech_began, self._speech_ended)
        self._loop = asyncio.get_running_loop()
        self._connection: Connection
        self._heard_bytes = 0
        self._final_bytes = 0

    def opened(self, connection: Connection) -> None:
        """Keep the connection."""
        self._connection = connection

    def binary(self, payload: bytes) -> None:
        """Take callee audio."""
        self._heard_bytes += len(payload)
        self._ear.hear(payload)

    def text(self, payload: bytes) -> None:
        """Take a control message."""
        if orjson.loads(payload)["type"] == "CloseStream":
            self._connection.close()

    def _speech_began(self) -> None:
        self._tell({"type": "SpeechStarted", "channel": [0], "timestamp": self._heard_bytes / 8000})
        self._loop.call_later(_PARTIAL_S, self._partial)

    def _partial(self) -> None:
        self._ear.note_interruption()
        self._results(final=False)

    def _speech_ended(self) -> None:
        self._results(final=True)
        self._final_bytes = self._heard_bytes

    def _results(self, *, final: bool) -> None:
        start_s, end_s = self._final_bytes / 8000, self._heard_bytes / 8000
        heard = {"transcript": _words(self._ear.phone), "confidence": 0.99, "words": []}
        self._tell(
            {
                "type": "Results",
                "channel_index": [0, 1],
                "start": start_s,
                "duration": end_s - start_s,
                "is_final": final,
                "speech_final": final,
                "channel": {"alternatives": [heard]},
            }
        )

    def _tell(self, message: dict[str, object]) -> None:
        self._connection.send_text(orjson.dumps(message))


class Voice(Session):
    """One speaking socket; every utterance is the same three seconds."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._connection: Connection
        self._mouth: Mouth | None = None
        self._flush_owed = False

    def opened(self, connection: Connection) -> None:
        """Keep the connection."""
        self._connection = connection

    def closed(self) -> None:
        """Stop."""
        if self._mouth is not None:
            self._mouth.stop()

    def text(self, payload: bytes) -> None:
        """Take text to speak, or an order."""
        message = orjson.loads(payload)
        match message["type"]:
            case "Speak":
                if self._mouth is None:
                    self._begin(message["text"])
            case "Flush":
                self._flush_owed = True
                if self._mouth is None:
                    self._flushed()
            case "Clear":
                if self._mouth is not None:
                    self._mouth.stop()
                    self._mouth = None
                self._flush_owed = False
                self._connection.send_text(b'{"type":"Cleared","sequence_id":0}')
            case "Close":
                self._connection.close()

    def _begin(self, text: str) -> None:
        named = _LINE.search(text)
        phone = self._exchange.phones.get(int(named[1])) if named is not None else None
        self._mouth = Mouth(phone, lambda _piece: self._connection.send_binary(PIECE), self._spoken)
        self._mouth.begin(0.0)

    def _spoken(self) -> None:
        self._mouth = None
        if self._flush_owed:
            self._flushed()

    def _flushed(self) -> None:
        self._flush_owed = False
        self._connection.send_text(b'{"type":"Flushed","sequence_id":0}')


def complete(request: Request, connection: Connection) -> None:
    """Answer POST /chat/completions with a stream of one sentence that repeats the callee's line."""
    said = orjson.loads(request.body)["messages"]
    lines = _LINE.findall(" ".join(str(message["content"]) for message in said if message["role"] == "user"))
    sentence = f"very well, line {lines[-1] if lines else 0}, what about tomorrow morning at nine?"
    chunks = [_chunk({"role": "assistant", "content": ""})]
    chunks += [_chunk({"content": f"{word} "}) for word in sentence.split()]
    chunks += [_chunk({}, "stop"), _framed(b"data: [DONE]\n\n") + b"0\r\n\r\n"]
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    loop = asyncio.get_running_loop()
    for at, chunk in enumerate([head + chunks[0], *chunks[1:]]):
        loop.call_later(THINK_S + at * _TOKEN_S, connection.write, chunk)


def _chunk(delta: dict[str, str], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return _framed(b"data: " + orjson.dumps(chunk) + b"\n\n")


def _framed(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)
