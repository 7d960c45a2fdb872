"""What an OpenAI Realtime (GA) server says: JSON text in, our events out, and the frames to answer with. No I/O.

`RealtimeCodec` keeps what the protocol makes a client remember: the items, which responses are done or were talked over
(their late audio is dropped), and whose turn it is to ask for the next.
Events are told apart by `type` alone; unknown ones are passed over. Source: OpenAI, Realtime server events.
"""

from binascii import a2b_base64
from collections.abc import Callable

import orjson
import structlog

from media.errors import ProviderError
from media.ports import (
    RtAgentText,
    RtAudio,
    RtCalleeText,
    RtCommitted,
    RtEvent,
    RtItemDone,
    RtResponseDone,
    RtSpeechStarted,
    RtSpeechStopped,
    ToolRequest,
)
from media.realtime.client_frames import commit, response_create, tool_output, truncate
from media.realtime.items import Items
from media.realtime.responses import Ask, ResponseTurns
from schema.outcomes import EndReason

PROVIDER = "openai"
_BUSY = "conversation_already_has_active_response"
_BENIGN_CODES = frozenset({"response_cancel_not_active", "input_audio_buffer_commit_empty"})
_BENIGN_TEXT = "already shorter than"
_FATAL_CODES = {
    "invalid_api_key": EndReason.PROVIDER_AUTH,
    "authentication_error": EndReason.PROVIDER_AUTH,
    "session_expired": EndReason.PROVIDER_CLOSED,
    "beta_api_shape_disabled": EndReason.PROVIDER_ERROR,
    "insufficient_quota": EndReason.PROVIDER_ERROR,
}

Fields = dict[str, object]
_log = structlog.get_logger()


class RealtimeCodec:
    """The client's side of one session.

    Args:
        items: what an earlier session of the same call remembers.

    Attributes:
        is_configured: the server confirmed the session's configuration.
    """

    def __init__(self, items: Items | None = None) -> None:
        self.is_configured = False
        self.items = items or Items()
        self._frames: list[bytes] = []
        self._events_named = 0
        self._turns = ResponseTurns()
        self._callee_has_turn = False
        self._results_owed = 0
        self._muted_response: str | None = None
        self._over_response: str | None = None
        self._readers: dict[str, Callable[[Fields], tuple[RtEvent, ...]]] = {
            "response.output_audio.delta": self._audio,
            "response.output_audio_transcript.delta": self._agent_text,
            "response.output_item.done": self._item_done,
            "response.created": self._response_created,
            "response.done": self._response_done,
            "input_audio_buffer.speech_started": self._speech_started,
            "input_audio_buffer.speech_stopped": lambda _: (RtSpeechStopped(),),
            "input_audio_buffer.committed": self._committed,
            "conversation.item.input_audio_transcription.completed": self._callee_text,
            "session.updated": self._configured,
            "error": self._error,
        }

    @property
    def is_owed(self) -> bool:
        """Whether the server owes us the start or the end of a response."""
        return self._turns.is_owed

    @property
    def is_quiet(self) -> bool:
        """Whether nobody speaks or is about to, and nothing is owed by either side."""
        return not (self._turns.is_owed or self._callee_has_turn or self._results_owed)

    @property
    def has_frames(self) -> bool:
        """Whether there is anything to send."""
        return bool(self._frames)

    def frames(self) -> list[bytes]:
        """Take the frames to be sent, in order."""
        frames, self._frames = self._frames, []
        return frames

    def next_event_id(self) -> str:
        """Name the next client event."""
        self._events_named += 1
        return f"tl_{self._events_named}"

    # What we want

    def ask(self, response: dict[str, object] | None) -> None:
        """Ask for a response now, or as soon as the active one is over."""
        self._turns.want(Ask(response))
        self._send_next_ask()

    def end_turn(self) -> None:
        """Take what the callee has said so far as a turn, so that it is written down."""
        self._frames.append(commit(self.next_event_id()))

    def give_results(self, results: tuple[tuple[str, str], ...]) -> None:
        """Give tool results as (request id, JSON text)."""
        self._results_owed = max(0, self._results_owed - len(results))
        self._frames.extend(tool_output(self.next_event_id(), request_id, text) for request_id, text in results)

    def cut(self, item_id: str, heard_ms: int) -> None:
        """Cut the item to what was heard, rounded down to what was received, and drop the rest of its response.

        An item without audio is left alone, and so is one that was heard to its end.
        """
        item = self.items.get(item_id)
        if item is not None:
            self._muted_response = item.response_id
        kept_ms = self.items.cut(item_id, heard_ms)
        if kept_ms is not None:
            self._frames.append(truncate(self.next_event_id(), item_id, kept_ms))

    # What the server says

    def receive(self, message: bytes | str) -> tuple[RtEvent, ...]:
        """Read one frame; a malformed one is passed over, for the conversation may well go on without it.

        Raises:
            ProviderError: The server says that the session cannot go on.
        """
        try:
            frame = orjson.loads(message)
            read = self._readers.get(frame["type"])
            return () if read is None else read(frame)
        except (KeyError, TypeError, ValueError) as error:
            _log.warning("realtime.malformed_frame", fault=type(error).__name__)
            return ()

    def _audio(self, frame: Fields) -> tuple[RtEvent, ...]:
        item_id, response_id = _text(frame, "item_id"), _text(frame, "response_id")
        if response_id in (self._muted_response, self._over_response):
            return ()
        audio = a2b_base64(_text(frame, "delta"))
        self.items.agent(item_id, response_id).received_bytes += len(audio)
        return (RtAudio(item_id, audio),)

    def _agent_text(self, frame: Fields) -> tuple[RtEvent, ...]:
        item_id, response_id, text = _text(frame, "item_id"), _text(frame, "response_id"), _text(frame, "delta")
        if response_id in (self._muted_response, self._over_response):
            return ()
        self.items.agent(item_id, response_id).text += text
        return (RtAgentText(item_id, text),)

    def _item_done(self, frame: Fields) -> tuple[RtEvent, ...]:
        item = _fields(frame, "item")
        if item.get("type") != "message":
            return ()
        item_id = _text(item, "id")
        known = self.items.get(item_id)
        if known is not None:
            known.is_done = True
        return (RtItemDone(item_id),)

    def _speech_started(self, _frame: Fields) -> tuple[RtEvent, ...]:
        self._callee_has_turn = True
        return (RtSpeechStarted(),)

    def _committed(self, frame: Fields) -> tuple[RtEvent, ...]:
        item_id = _text(frame, "item_id")
        self.items.callee(item_id)
        return (RtCommitted(item_id),)

    def _callee_text(self, frame: Fields) -> tuple[RtEvent, ...]:
        item_id, text = _text(frame, "item_id"), _text(frame, "transcript").strip()
        self.items.callee(item_id).text = text
        return (RtCalleeText(item_id, text),)

    def _configured(self, _frame: Fields) -> tuple[RtEvent, ...]:
        self.is_configured = True
        return ()

    def _response_created(self, frame: Fields) -> tuple[RtEvent, ...]:
        self._turns.created(_text(_fields(frame, "response"), "id"))
        self._callee_has_turn = False
        return ()

    def _response_done(self, frame: Fields) -> tuple[RtEvent, ...]:
        response = _fields(frame, "response")
        status, self._over_response = _text(response, "status"), _text(response, "id")
        self._turns.done(self._over_response)
        self._send_next_ask()
        requests = _tool_requests(response) if status == "completed" else ()
        self._results_owed += len(requests)
        return (RtResponseDone(status, requests, _why(response)),)

    def _error(self, frame: Fields) -> tuple[RtEvent, ...]:
        error = _fields(frame, "error")
        code, event_id = str(error.get("code") or error.get("type")), error.get("event_id")
        message = str(error.get("message") or "")
        if code in _FATAL_CODES or not self.is_configured:
            reason = _FATAL_CODES.get(code, EndReason.PROVIDER_ERROR)
            raise ProviderError(PROVIDER, f"{code}: {message[:200]}", reason)
        busy = code == _BUSY
        asked = self._turns.rejected(event_id if isinstance(event_id, str) else None, busy=busy)
        if busy:
            self._send_next_ask()
            return ()
        if code not in _BENIGN_CODES and _BENIGN_TEXT not in message:
            _log.warning("realtime.event_refused", code=code, event_id=event_id, asked_response=asked)
        return (RtResponseDone("failed", (), code),) if asked else ()

    def _send_next_ask(self) -> None:
        event_id = self.next_event_id()
        ask = self._turns.take(event_id)
        if ask is not None:
            self._frames.append(response_create(event_id, ask.response))


def _tool_requests(response: Fields) -> tuple[ToolRequest, ...]:
    output = response.get("output")
    calls = [item for item in output if isinstance(item, dict)] if isinstance(output, list) else []
    return tuple(
        ToolRequest(_text(item, "call_id"), _text(item, "name"), _arguments(item.get("arguments")))
        for item in calls
        if item.get("type") == "function_call"
    )


def _arguments(text: object) -> dict[str, object]:
    """Read a model's arguments; what is no JSON object reads as none, and the tool then says what it lacks."""
    try:
        arguments = orjson.loads(text if isinstance(text, str) else "{}")
    except orjson.JSONDecodeError:
        _log.warning("realtime.bad_tool_arguments")
        return {}
    return arguments if isinstance(arguments, dict) else {}


def _why(response: Fields) -> str:
    details = response.get("status_details")
    if not isinstance(details, dict):
        return ""
    error = details.get("error")
    code = (error.get("code") or error.get("type")) if isinstance(error, dict) else None
    return str(code or details.get("reason") or "")


def _text(frame: Fields, name: str) -> str:
    value = frame[name]
    if not isinstance(value, str):
        raise TypeError(f"{name} is not a text")
    return value


def _fields(frame: Fields, name: str) -> Fields:
    value = frame[name]
    if not isinstance(value, dict):
        raise TypeError(f"{name} is not an object")
    return value
