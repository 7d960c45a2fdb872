"""The unit of sound on every port: mono mu-law, 8000 Hz, in frames of 20 ms."""

FRAME_BYTES = 160
FRAME_MS = 20
BYTES_PER_MS = 8
