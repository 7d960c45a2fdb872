"""The configuration of a realtime session: defaults, and what a `session.update` does to them. No I/O.

Only present fields change; null clears; an unknown field or a bad value changes nothing and is an error naming its
parameter. Source: OpenAI, Realtime session object (GA); the SDK's typed models.
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Final

from deploy.simulator.realtime_audio import format_fault

Json = dict[str, Any]

_SERVER_VAD: Final = {
    "type": "server_vad",
    "threshold": 0.5,
    "prefix_padding_ms": 300,
    "silence_duration_ms": 200,
    "idle_timeout_ms": None,
    "create_response": True,
    "interrupt_response": True,
}
_SEMANTIC_VAD: Final = {
    "type": "semantic_vad",
    "eagerness": "auto",
    "create_response": True,
    "interrupt_response": True,
}
_DETECTORS: Final[dict[str, Mapping[str, object]]] = {"server_vad": _SERVER_VAD, "semantic_vad": _SEMANTIC_VAD}
_VOICES: Final = frozenset(["alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar"])
_TOP: Final = frozenset(
    [
        "type",
        "model",
        "instructions",
        "output_modalities",
        "tools",
        "tool_choice",
        "max_output_tokens",
        "tracing",
        "truncation",
        "prompt",
        "include",
        "parallel_tool_calls",
        "reasoning",
        "audio",
    ]
)
_INPUT: Final = frozenset({"format", "transcription", "noise_reduction", "turn_detection"})
_OUTPUT: Final = frozenset({"format", "voice", "speed"})


class ClientError(ValueError):
    """A client event the server refuses; the session goes on."""

    def __init__(self, message: str, *, code: str, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.param = param


def new_session(session_id: str, model: str, expires_at: int) -> Json:
    """Return the session object a new connection starts with."""
    return {
        "type": "realtime",
        "object": "realtime.session",
        "id": session_id,
        "model": model,
        "output_modalities": ["audio"],
        "instructions": "Your knowledge cutoff is 2024-10. You are a helpful, witty, and friendly AI.",
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "tracing": None,
        "truncation": "auto",
        "prompt": None,
        "expires_at": expires_at,
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": 24000},
                "transcription": None,
                "noise_reduction": None,
                "turn_detection": dict(_SERVER_VAD),
            },
            "output": {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "alloy", "speed": 1.0},
        },
        "include": None,
    }


def updated_session(session: Json, change: Any, *, spoke: bool) -> Json:
    """Return the session after an update; `spoke` freezes the voice.

    Raises:
        ClientError: the update is refused as a whole.
    """
    if not isinstance(change, dict) or "type" not in change:
        raise ClientError(
            "Missing required parameter: 'session.type'.", code="missing_required_parameter", param="session.type"
        )
    if change["type"] != "realtime":
        raise _invalid("session.type", change["type"], ("realtime",))
    _known(change, _TOP, "session")
    if change.get("model", session["model"]) != session["model"]:
        raise ClientError("Cannot update the model of a session.", code="invalid_value", param="session.model")
    modalities = change.get("output_modalities", ["audio"])
    if modalities not in (["audio"], ["text"]):
        raise _invalid("session.output_modalities", modalities, ("['audio']", "['text']"))
    after = deepcopy(session)
    after.update({key: value for key, value in change.items() if key not in {"type", "audio"}})
    audio = change.get("audio") or {}
    _known(audio, frozenset({"input", "output"}), "session.audio")
    _change_input(after["audio"]["input"], audio.get("input") or {})
    _change_output(after["audio"]["output"], audio.get("output") or {}, spoke=spoke)
    return after


def _change_input(current: Json, change: Json) -> None:
    _known(change, _INPUT, "session.audio.input")
    for key, value in change.items():
        if key == "format":
            _judge_format(value, "session.audio.input.format")
        current[key] = _detector(value, current[key]) if key == "turn_detection" else value


def _change_output(current: Json, change: Json, *, spoke: bool) -> None:
    _known(change, _OUTPUT, "session.audio.output")
    if "format" in change:
        _judge_format(change["format"], "session.audio.output.format")
    voice = change.get("voice", current["voice"])
    if isinstance(voice, str) and voice not in _VOICES:
        raise _invalid("session.audio.output.voice", voice, tuple(sorted(_VOICES)))
    if spoke and voice != current["voice"]:
        raise ClientError(
            "Cannot update a conversation's voice if assistant audio is present.",
            code="cannot_update_voice",
            param="session.audio.output.voice",
        )
    current.update(change)


def _detector(value: Json | None, current: Json | None) -> Json | None:
    if value is None:
        return None
    kind = value.get("type", current["type"] if current else None)
    defaults = _DETECTORS.get(str(kind))
    if defaults is None:
        raise _invalid("session.audio.input.turn_detection.type", kind, tuple(_DETECTORS))
    _known(value, frozenset(defaults), "session.audio.input.turn_detection")
    kept = current if current and current["type"] == kind else {}
    return {**defaults, **kept, **value}


def _judge_format(value: Any, param: str) -> None:
    fault = format_fault(value) if isinstance(value, dict) else "Invalid type: expected an object."
    if fault:
        raise ClientError(fault, code="invalid_value", param=param)


def _known(change: Json, known: frozenset[str], where: str) -> None:
    for key in change:
        if key not in known:
            param = f"{where}.{key}"
            raise ClientError(f"Unknown parameter: '{param}'.", code="unknown_parameter", param=param)


def _invalid(param: str, value: object, supported: tuple[str, ...]) -> ClientError:
    listed = ", ".join(repr(each) for each in supported)
    return ClientError(f"Invalid value: '{value}'. Supported values are: {listed}.", code="invalid_value", param=param)
