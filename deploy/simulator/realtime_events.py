"""Server events of a realtime session as JSON objects, in the GA shapes. No I/O.

Source: OpenAI, Realtime server events (GA); the SDK's typed models.
"""

import itertools
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

Json = dict[str, Any]


class EventWriter:
    """Writes events with ids of their own."""

    def __init__(self) -> None:
        self._tag = uuid4().hex[:12]
        self._numbers = itertools.count(1)

    def new_id(self, kind: str) -> str:
        """Return an id such as item_…, unique in the world."""
        return f"{kind}_{self._tag}{next(self._numbers):06d}"

    def event(self, kind: str, **fields: object) -> Json:
        """Write an event."""
        return {"type": kind, "event_id": self.new_id("event"), **fields}

    def error(
        self, message: str, *, code: str | None, param: str | None = None, client_event_id: object = None
    ) -> Json:
        """Write an error; `client_event_id` is the refused event's own id."""
        fault = {"type": "invalid_request_error", "code": code, "message": message, "param": param}
        return self.event("error", error=fault | {"event_id": client_event_id})


def user_audio_item(item_id: str, transcript: str | None = None) -> Json:
    """Return the item of a committed input buffer."""
    content = [{"type": "input_audio", "transcript": transcript}]
    return {
        "id": item_id,
        "object": "realtime.item",
        "type": "message",
        "status": "completed",
        "role": "user",
        "content": content,
    }


def assistant_item(item_id: str, status: str, content: list[Json]) -> Json:
    """Return an assistant message."""
    return {
        "id": item_id,
        "object": "realtime.item",
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": content,
    }


def call_item(item_id: str, status: str, call_id: str, name: str, arguments: str) -> Json:
    """Return a function call."""
    return {
        "id": item_id,
        "object": "realtime.item",
        "type": "function_call",
        "status": status,
        "call_id": call_id,
        "name": name,
        "arguments": arguments,
    }


def response_object(
    response_id: str, session: Mapping[str, Any], status: str, output: list[Json], **fields: object
) -> Json:
    """Return a response; `fields` may replace status_details, usage and metadata."""
    made = session["audio"]["output"]
    return {
        "object": "realtime.response",
        "id": response_id,
        "status": status,
        "status_details": None,
        "output": output,
        "conversation_id": f"conv_{session['id']}",
        "output_modalities": session["output_modalities"],
        "max_output_tokens": session["max_output_tokens"],
        "audio": {"output": {"format": made["format"], "voice": made["voice"]}},
        "usage": None,
        "metadata": None,
    } | fields


def usage(input_text: int, input_audio_ms: int, output_text: int, output_audio_ms: int) -> Json:
    """Return token usage of characters and audio: about 10 tokens per second in, 20 out."""
    text_in, audio_in = input_text // 4, input_audio_ms // 100
    text_out, audio_out = output_text // 4, output_audio_ms // 50
    cached = {"text_tokens": 0, "audio_tokens": 0, "image_tokens": 0}
    return {
        "total_tokens": text_in + audio_in + text_out + audio_out,
        "input_tokens": text_in + audio_in,
        "output_tokens": text_out + audio_out,
        "input_token_details": {
            "text_tokens": text_in,
            "audio_tokens": audio_in,
            "image_tokens": 0,
            "cached_tokens": 0,
            "cached_tokens_details": cached,
        },
        "output_token_details": {"text_tokens": text_out, "audio_tokens": audio_out},
    }
