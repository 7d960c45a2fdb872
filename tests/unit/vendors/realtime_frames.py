"""Frames of a realtime server as tests write them, and sessions ready to read them."""

import json
from base64 import b64encode

from media.realtime.server_frames import RealtimeCodec


def server(kind: str, **fields: object) -> bytes:
    return json.dumps({"type": kind, "event_id": "server_1", **fields}).encode()


def audio(item_id: str, response_id: str, size: int = 800) -> bytes:
    delta = b64encode(b"\x7f" * size).decode()
    return server("response.output_audio.delta", item_id=item_id, response_id=response_id, delta=delta)


def created(response_id: str) -> bytes:
    return server("response.created", response={"id": response_id, "status": "in_progress"})


def done(response_id: str, status: str = "completed", **fields: object) -> bytes:
    return server("response.done", response={"id": response_id, "status": status, "output": [], **fields})


def item_done(item_id: str, kind: str = "message") -> bytes:
    return server("response.output_item.done", item={"id": item_id, "type": kind})


def refused(code: str, event_id: str | None, message: str = "") -> bytes:
    return server(
        "error", error={"type": "invalid_request_error", "code": code, "message": message, "event_id": event_id}
    )


def session() -> RealtimeCodec:
    codec = RealtimeCodec()
    codec.receive(server("session.updated", session={}))
    return codec


def sent(codec: RealtimeCodec) -> list[dict[str, object]]:
    return [json.loads(frame) for frame in codec.frames()]


def said(item_id: str, response_id: str, text: str) -> bytes:
    return server("response.output_audio_transcript.delta", item_id=item_id, response_id=response_id, delta=text)
