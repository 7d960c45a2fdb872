"""Bytes of sound: companding, mixing and framing."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from media.audio import mulaw
from media.audio.frames import FrameBuffer

ALL_CODES = bytes(range(256))


def test_every_code_survives_decoding_and_encoding() -> None:
    again = mulaw.encode(mulaw.decode(ALL_CODES))
    negative_zero = 0x7F
    assert all(b == a or (a == negative_zero and b == 0xFF) for a, b in zip(ALL_CODES, again, strict=True))


@given(st.integers(-32768, 32767))
def test_companding_keeps_a_sample_within_its_step(sample: int) -> None:
    code = mulaw.encode(struct.pack("<h", sample))
    (back,) = struct.unpack("<h", mulaw.decode(code))
    assert abs(back - max(-32635, min(32635, sample))) <= abs(sample) // 16 + 8


@given(st.binary(max_size=320))
def test_decoding_then_encoding_again_changes_nothing(ulaw: bytes) -> None:
    once = mulaw.encode(mulaw.decode(ulaw))
    assert mulaw.encode(mulaw.decode(once)) == once


def test_silence_decodes_to_zero() -> None:
    assert mulaw.decode(mulaw.SILENCE * 4) == bytes(8)


def test_mixing_silence_changes_nothing() -> None:
    audible = bytes(code for code in ALL_CODES if code != 0x7F)
    assert mulaw.mix(audible, bytes(2 * len(audible))) == audible


def test_loud_sums_are_clipped_not_wrapped() -> None:
    loud = mulaw.encode(struct.pack("<h", 32000))
    assert struct.unpack("<h", mulaw.decode(mulaw.mix(loud, struct.pack("<h", 32000))))[0] > 30000


def test_interleaving_puts_the_first_channel_left() -> None:
    left, right = mulaw.encode(struct.pack("<h", 1000)), mulaw.SILENCE
    samples = struct.unpack("<hh", mulaw.interleave(left, right))
    assert samples[0] > 900
    assert samples[1] == 0


@given(st.lists(st.binary(max_size=700), max_size=20), st.integers(1, 5))
def test_frames_carry_every_byte_in_order_whatever_the_chunks(chunks: list[bytes], most: int) -> None:
    buffer = FrameBuffer(limit_bytes=100_000)
    taken = b""
    for chunk in chunks:
        buffer.append(chunk)
        frame = buffer.take(most)
        assert len(frame) % 160 == 0
        assert len(frame) <= most * 160
        taken += frame
    missing = buffer.pad()
    taken += buffer.take(1000)
    whole = b"".join(chunks)
    assert taken == whole + mulaw.SILENCE * missing
    assert len(taken) % 160 == 0
    assert missing < 160


def test_a_full_buffer_drops_what_comes_and_counts_it() -> None:
    buffer = FrameBuffer(limit_bytes=200)
    assert buffer.append(b"\x01" * 150) == 150
    assert buffer.append(b"\x02" * 100) == 50
    assert buffer.dropped_bytes == 50
    assert buffer.take(1) == b"\x01" * 150 + b"\x02" * 10
