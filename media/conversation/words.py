"""What a few spoken words mean for the turn: an acknowledgement, a demand to stop, or something to be answered.

English words only; other languages fall back to the number of words. Knows no state of the conversation.
"""

import re
from enum import StrEnum


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ACKNOWLEDGEMENTS = _words(
    "uh huh uhuh uhhuh mhm mm hmm hm mmhmm um er ah oh okay ok yeah yep yes yup right sure alright good great fine "
    "cool exactly totally interesting nice wow true really i see got it makes sense"
)
GREETINGS = _words("hello hi hey yes yeah speaking there who is this good morning afternoon evening")
FAREWELLS = _words("bye goodbye thanks thank you too very much have a nice good day evening one take care okay ok")
STOP_WORDS = _words("stop wait hold pause quiet enough")
STOP_PHRASES = ("hang on", "shut up", "let me speak", "excuse me", "no no", "one moment", "just a second")
MIN_INTERRUPTING_WORDS = 2
"""A single partial word may be noise or echo; it interrupts once it is final."""

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")


class Meaning(StrEnum):
    """What words heard while the agent speaks amount to."""

    NOTHING = "nothing"
    BACKCHANNEL = "backchannel"
    SPEECH = "speech"
    STOP = "stop"


class Passage(StrEnum):
    """Which part of the call the agent's words belong to; it decides what counts as a mere acknowledgement."""

    OPENING = "opening"
    MIDDLE = "middle"
    FAREWELL = "farewell"


_POLITE = {
    Passage.OPENING: ACKNOWLEDGEMENTS | GREETINGS,
    Passage.MIDDLE: ACKNOWLEDGEMENTS,
    Passage.FAREWELL: ACKNOWLEDGEMENTS | FAREWELLS,
}


def meaning_of(text: str, *, final: bool, passage: Passage = Passage.MIDDLE) -> Meaning:
    """Judge words heard while the agent speaks. Stop words always stop; acknowledgements never interrupt."""
    words = _WORD.findall(text.lower().replace("-", " "))
    if not words:
        return Meaning.NOTHING
    joined = " ".join(words)
    if not STOP_WORDS.isdisjoint(words) or any(phrase in joined for phrase in STOP_PHRASES):
        return Meaning.STOP
    if _POLITE[passage].issuperset(words):
        return Meaning.BACKCHANNEL
    return Meaning.SPEECH if final or len(words) >= MIN_INTERRUPTING_WORDS else Meaning.NOTHING
