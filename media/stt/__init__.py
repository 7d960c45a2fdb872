"""Streaming recognisers: per provider a codec without I/O and a thin shell that keeps `SpeechToText`'s promises."""
