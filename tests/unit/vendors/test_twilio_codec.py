"""Twilio's media frames are read and written exactly, and nothing malformed passes."""

import json
from base64 import b64encode

import pytest

from media.carriers.twilio.codec import (
    DigitPressed,
    MalformedFrame,
    MarkPlayed,
    StreamConnected,
    StreamEncoder,
    StreamStarted,
    StreamStopped,
    decode,
)
from media.carriers.twilio.socket import text_frame

FRAME = bytes(range(160))
MULAW = {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}


def start(**fields: object) -> str:
    body = {"streamSid": "MZ1", "accountSid": "AC1", "callSid": "CA1", "tracks": ["inbound"], "mediaFormat": MULAW}
    return json.dumps({"event": "start", "sequenceNumber": "1", "streamSid": "MZ1", "start": body | fields})


def media(payload: str, track: str = "inbound") -> str:
    body = {"track": track, "chunk": "2", "timestamp": "20", "payload": payload}
    return json.dumps({"event": "media", "sequenceNumber": "3", "streamSid": "MZ1", "media": body})


def test_callee_audio_comes_as_bare_bytes() -> None:
    assert decode(media(b64encode(FRAME).decode())) == FRAME


def test_our_own_track_is_not_the_callee() -> None:
    assert decode(media(b64encode(FRAME).decode(), track="outbound")) is None


@pytest.mark.parametrize(
    ("message", "frame"),
    [
        ('{"event":"connected","protocol":"Call","version":"1.0.0"}', StreamConnected()),
        ('{"event":"mark","streamSid":"MZ1","mark":{"name":"t1"}}', MarkPlayed("t1")),
        ('{"event":"dtmf","streamSid":"MZ1","dtmf":{"track":"inbound_track","digit":"#"}}', DigitPressed("#")),
        ('{"event":"stop","streamSid":"MZ1","stop":{"accountSid":"AC1","callSid":"CA1"}}', StreamStopped()),
        ('{"event":"something-new","streamSid":"MZ1"}', None),
    ],
)
def test_every_other_frame_is_told_apart(message: str, frame: object) -> None:
    assert decode(message) == frame
    assert decode(message.encode()) == frame


def test_start_gives_the_ids_and_the_parameters() -> None:
    assert decode(start(customParameters={"a": "b"})) == StreamStarted("MZ1", "CA1", {"a": "b"})


@pytest.mark.parametrize(
    "message",
    [
        "not json",
        "[]",
        "{}",
        '"media"',
        '{"event":"media","media":{}}',
        '{"event":"media","media":{"payload":"*"}}',
        '{"event":"media","media":{"payload":7}}',
        '{"event":"mark"}',
        '{"event":"start","start":{"callSid":"CA1"}}',
        start(mediaFormat={"encoding": "audio/l16", "sampleRate": 16000}),
    ],
)
def test_a_malformed_frame_is_refused(message: str) -> None:
    with pytest.raises(MalformedFrame):
        decode(message)


def test_what_we_send_has_twilios_fields_and_no_other() -> None:
    encoder = StreamEncoder('MZ"1')
    payload = b64encode(FRAME).decode()
    assert json.loads(encoder.media(FRAME)) == {"event": "media", "streamSid": 'MZ"1', "media": {"payload": payload}}
    assert json.loads(encoder.mark('t"1')) == {"event": "mark", "streamSid": 'MZ"1', "mark": {"name": 't"1'}}
    assert json.loads(encoder.clear()) == {"event": "clear", "streamSid": 'MZ"1'}


@pytest.mark.parametrize(
    ("size", "head"), [(125, b"\x81\x7d"), (126, b"\x81\x7e\x00\x7e"), (65_535, b"\x81\x7e\xff\xff")]
)
def test_websocket_frames_carry_the_shortest_length(size: int, head: bytes) -> None:
    assert text_frame(b"x" * size) == head + b"x" * size
    assert text_frame(b"x" * 65_536)[:10] == b"\x81\x7f" + (65_536).to_bytes(8, "big")
