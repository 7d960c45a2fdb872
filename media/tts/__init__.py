"""Streaming voices: per provider a codec without I/O and a thin shell that keeps `TextToSpeech`'s promises."""
