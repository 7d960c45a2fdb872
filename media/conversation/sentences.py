"""Cut a model's streamed text into sentences, so that the voice begins before the reply is complete.

A sentence ends at closing punctuation followed by a space, but not after abbreviations, initials or inside numbers;
long ones are cut at a comma. Decides where to cut, never changes a word.
"""

import re

_ABBREVIATIONS = (
    "mr mrs ms dr prof sr jr st mt ave blvd dept vs etc no inc ltd co corp e.g i.e a.m p.m u.s u.k approx ext fig"
)
ABBREVIATIONS = frozenset(_ABBREVIATIONS.split())
LONG_CHARS = 160
"""Beyond this length a clause is spoken as soon as it has a comma."""

_END = re.compile("[.!?\u2026]+[\"'\u201d\u2019)\\]]*(?=\\s)|[\u3002\uff01\uff1f]|\n+")
"""Latin and CJK closing punctuation, the Latin one with closing quotes and brackets; or a line break."""
_CLAUSE = re.compile(r"[,;:—](?=\s)")
_LAST_WORD = re.compile(r"([\w.]+)\.$")


class SentenceCutter:
    """Collects deltas of one reply."""

    def __init__(self) -> None:
        self._text = ""

    def feed(self, delta: str) -> list[str]:
        """Add text and return the sentences that are complete now."""
        self._text += delta
        sentences = []
        while (end := self._next_end()) is not None:
            sentence = self._text[:end].strip()
            self._text = self._text[end:]
            if sentence:
                sentences.append(sentence)
        return sentences

    def rest(self) -> str:
        """Return what is left when the reply is complete."""
        rest, self._text = self._text.strip(), ""
        return rest

    def _next_end(self) -> int | None:
        for match in _END.finditer(self._text):
            if not _is_abbreviation(self._text[: match.end()].rstrip("\n")):
                return match.end()
        if len(self._text) > LONG_CHARS:
            cuts = [match.end() for match in _CLAUSE.finditer(self._text)]
            return cuts[-1] if cuts else None
        return None


def _is_abbreviation(text: str) -> bool:
    match = _LAST_WORD.search(text)
    if match is None:
        return False
    word = match.group(1).lower()
    return word in ABBREVIATIONS or (len(word) == 1 and word.isalpha() and word != "i")
