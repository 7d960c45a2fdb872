"""Speech-to-speech models: per provider a codec without I/O and a thin shell that keeps `RealtimeModel`'s promises."""
