"""The header of a stereo PCM16 8000 Hz WAV file, and the repair of one whose writer was killed.

While a file grows its header claims the largest size there is, which players take as "until the end". Source: Microsoft
RIFF specification, WAVE format chunk.
"""

import os
import struct
from pathlib import Path

from media.audio.mulaw import SAMPLE_RATE_HZ

HEADER_BYTES = 44
CHANNELS = 2
SAMPLE_BYTES = 2
BLOCK_BYTES = CHANNELS * SAMPLE_BYTES
OPEN_SIZE = 0xFFFFFFFF

_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")


def header(data_bytes: int | None) -> bytes:
    """Build the 44-byte header; None for a file that still grows."""
    data = OPEN_SIZE if data_bytes is None else data_bytes
    riff = OPEN_SIZE if data_bytes is None else data_bytes + HEADER_BYTES - 8
    rate = SAMPLE_RATE_HZ * BLOCK_BYTES
    return _HEADER.pack(
        *(b"RIFF", riff, b"WAVE", b"fmt ", 16, 1, CHANNELS, SAMPLE_RATE_HZ, rate, BLOCK_BYTES, 8 * SAMPLE_BYTES),
        *(b"data", data),
    )


def repair(path: Path) -> float:
    """Write the true sizes into the header of a recording that was never closed.

    Returns:
        its length in seconds; a half-written last sample is cut off.

    Raises:
        ValueError: the file is not one of our recordings.
    """
    with path.open("r+b") as file:
        start = file.read(HEADER_BYTES)
        if len(start) < HEADER_BYTES or start[:4] != b"RIFF" or start[36:40] != b"data":
            raise ValueError(f"{path} is not a recording of this program")
        data_bytes = (file.seek(0, os.SEEK_END) - HEADER_BYTES) // BLOCK_BYTES * BLOCK_BYTES
        file.truncate(HEADER_BYTES + data_bytes)
        file.seek(0)
        file.write(header(data_bytes))
    return data_bytes / BLOCK_BYTES / SAMPLE_RATE_HZ
