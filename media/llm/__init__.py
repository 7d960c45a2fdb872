"""Chat models: a codec without I/O and a thin shell that keeps `LanguageModel`'s promises."""
