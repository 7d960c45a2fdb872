"""Queries of Deepgram's speech sockets, read and judged. No I/O.

Source: Deepgram, streaming API reference (July 2026 defaults: interim false, endpointing 10 ms, vad_events false).
"""

from dataclasses import dataclass
from typing import Final

from multidict import MultiMapping

_LISTEN_MODELS: Final = ("nova", "enhanced", "base", "whisper", "custom", "meeting", "phonecall", "general")
_RATE_STEP_HZ: Final = 8000
_ENDPOINTING_DEFAULT_MS: Final = 10
_UTTERANCE_END_LEAST_MS: Final = 1000


class BadQuery(ValueError):
    """A query Deepgram refuses with 400."""


@dataclass(frozen=True, slots=True)
class ListenOptions:
    """What a listening socket asked for; `endpointing_ms` and `utterance_end_ms` are None when off."""

    model: str
    language: str
    encoding: str
    rate_hz: int
    interim: bool
    endpointing_ms: int | None
    utterance_end_ms: int | None
    vad_events: bool
    punctuate: bool
    keyterms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SpeakOptions:
    """What a speaking request asked for."""

    model: str
    encoding: str
    rate_hz: int


def read_listen(query: MultiMapping[str]) -> ListenOptions:
    """Read a listening query.

    Raises:
        BadQuery: Deepgram, or this simulation of it, cannot serve it.
    """
    model = query.get("model", "base")
    if not model.startswith(_LISTEN_MODELS):
        raise BadQuery("Bad Request: No such model/language/tier combination found.")
    encoding, rate_hz = _sound(query, encoding="", rate_hz=0)
    if not encoding:
        raise BadQuery("Bad Request: only raw audio is simulated; give encoding and sample_rate.")
    interim = _flag(query, "interim_results")
    utterance_end_ms = _whole(query, "utterance_end_ms")
    if utterance_end_ms is not None and not interim:
        raise BadQuery("Bad Request: utterance_end_ms requires interim_results to be true.")
    if utterance_end_ms is not None and utterance_end_ms < _UTTERANCE_END_LEAST_MS:
        raise BadQuery(f"Bad Request: utterance_end_ms must be at least {_UTTERANCE_END_LEAST_MS}.")
    keyterms = tuple(query.getall("keyterm", []))
    if keyterms and not model.startswith("nova-3"):
        raise BadQuery("Bad Request: Keyterm prompting is only available for Nova-3.")
    return ListenOptions(
        model=model,
        language=query.get("language", "en"),
        encoding=encoding,
        rate_hz=rate_hz,
        interim=interim,
        endpointing_ms=_endpointing(query),
        utterance_end_ms=utterance_end_ms,
        vad_events=_flag(query, "vad_events"),
        punctuate=_flag(query, "punctuate") or _flag(query, "smart_format"),
        keyterms=keyterms,
    )


def read_speak(query: MultiMapping[str]) -> SpeakOptions:
    """Read a speaking query.

    Raises:
        BadQuery: Deepgram, or this simulation of it, cannot serve it.
    """
    model = query.get("model", "aura-asteria-en")
    if not model.startswith("aura"):
        raise BadQuery("Bad Request: No such model/version combination found.")
    if query.get("container", "none") not in {"none", ""}:
        raise BadQuery("Bad Request: only container=none is simulated.")
    encoding, rate_hz = _sound(query, encoding="linear16", rate_hz=24_000)
    return SpeakOptions(model, encoding, rate_hz)


def _sound(query: MultiMapping[str], *, encoding: str, rate_hz: int) -> tuple[str, int]:
    given = query.get("encoding", encoding)
    if given not in {"", "mulaw", "linear16"}:
        raise BadQuery(f"Bad Request: encoding {given} is not simulated; mulaw and linear16 are.")
    fallback = 8000 if given == "mulaw" and encoding else rate_hz
    rate = _whole(query, "sample_rate") or fallback
    if given and not rate:
        raise BadQuery("Bad Request: encoding requires sample_rate to be specified.")
    if rate % _RATE_STEP_HZ or (given == "mulaw" and rate != _RATE_STEP_HZ):
        raise BadQuery(f"Bad Request: Unsupported sample rate {rate} for encoding {given}.")
    return given, rate


def _endpointing(query: MultiMapping[str]) -> int | None:
    given = query.get("endpointing", str(_ENDPOINTING_DEFAULT_MS)).lower()
    if given in {"false", "true"}:
        return _ENDPOINTING_DEFAULT_MS if given == "true" else None
    return _whole(query, "endpointing") if "endpointing" in query else _ENDPOINTING_DEFAULT_MS


def _flag(query: MultiMapping[str], name: str) -> bool:
    given = query.get(name, "false").lower()
    if given not in {"true", "false"}:
        raise BadQuery(f"Bad Request: {name} must be true or false.")
    return given == "true"


def _whole(query: MultiMapping[str], name: str) -> int | None:
    given = query.get(name)
    if given is None:
        return None
    if not given.isdigit():
        raise BadQuery(f"Bad Request: {name} must be a number.")
    return int(given)
