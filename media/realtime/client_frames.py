"""Client events of OpenAI Realtime (GA), as JSON text. No I/O.

Every event but audio carries an event id: it is the only way to tell which one an error is about. Audio is mono
mu-law, 8000 Hz (`audio/pcmu`) both ways. Source: OpenAI, Realtime client events.
"""

from binascii import b2a_base64
from dataclasses import dataclass

import orjson

from media.ports import ToolSpec

_APPEND = b'{"type":"input_audio_buffer.append","audio":"'
_PCMU = {"type": "audio/pcmu"}
_VAD = {
    "type": "server_vad",
    "threshold": 0.5,
    "prefix_padding_ms": 300,
    "silence_duration_ms": 500,
    "create_response": True,
    "interrupt_response": True,
}
_TRUNCATION = {"type": "retention_ratio", "retention_ratio": 0.8}


@dataclass(frozen=True, slots=True)
class SessionSetup:
    """What a session is to be."""

    voice: str
    instructions: str
    tools: tuple[ToolSpec, ...]
    transcribe_model: str


def append(audio: bytes) -> bytes:
    """Encode callee audio."""
    return _APPEND + b2a_base64(audio, newline=False) + b'"}'


def session_update(event_id: str, setup: SessionSetup) -> bytes:
    """Configure the session."""
    session: dict[str, object] = {
        "type": "realtime",
        "output_modalities": ["audio"],
        "instructions": setup.instructions,
        "truncation": _TRUNCATION,
        "audio": {
            "input": {
                "format": _PCMU,
                "transcription": {"model": setup.transcribe_model},
                "turn_detection": _VAD,
            },
            "output": {"format": _PCMU, "voice": setup.voice},
        },
    }
    if setup.tools:
        session["tools"] = [_tool(tool) for tool in setup.tools]
        session["tool_choice"] = "auto"
    return _event("session.update", event_id, session=session)


def _tool(tool: ToolSpec) -> dict[str, object]:
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
    }


def response_create(event_id: str, response: dict[str, object] | None) -> bytes:
    """Ask for a response; `response` overrides the session for this one."""
    return (
        _event("response.create", event_id)
        if response is None
        else _event("response.create", event_id, response=response)
    )


def verbatim(sentence: str) -> dict[str, object]:
    """Override a response so that it speaks exactly the sentence."""
    return {
        "instructions": "Speak the following text exactly as it is written, word for word, in its own language. "
        f"Say nothing before it and nothing after it.\n\n{sentence}",
        "tool_choice": "none",
    }


def commit(event_id: str) -> bytes:
    """End the callee's turn now, whatever the voice detection thinks."""
    return _event("input_audio_buffer.commit", event_id)


def truncate(event_id: str, item_id: str, audio_end_ms: int) -> bytes:
    """Cut an item to the audio that was heard."""
    return _event("conversation.item.truncate", event_id, item_id=item_id, content_index=0, audio_end_ms=audio_end_ms)


def tool_output(event_id: str, request_id: str, output: str) -> bytes:
    """Give the result of a function call."""
    item = {"type": "function_call_output", "call_id": request_id, "output": output}
    return _event("conversation.item.create", event_id, item=item)


def remember(event_id: str, role: str, text: str) -> bytes:
    """Add something that was said in an earlier session; role user or assistant."""
    content = {"type": "input_text" if role == "user" else "output_text", "text": text}
    return _event("conversation.item.create", event_id, item={"type": "message", "role": role, "content": [content]})


def _event(kind: str, event_id: str, **fields: object) -> bytes:
    return orjson.dumps({"type": kind, "event_id": event_id, **fields})
