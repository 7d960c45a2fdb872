"""How much of an utterance's text the callee has heard, judged by how much of its audio was played.

Text runs ahead of audio while an utterance is still being made, so its length is then estimated from the fastest
intelligible speech. A word that was cut off counts as not heard; scripts without spaces are cut at a character.
"""

FASTEST_MS_PER_CHAR = 50
"""Nobody speaks faster than 20 characters a second."""


def heard_text(text: str, *, heard_ms: int, received_ms: int, complete: bool) -> str:
    """Cut the text in proportion to what was heard, at a word boundary.

    Args:
        text: what the agent says.
        heard_ms: audio that was played to the callee.
        received_ms: audio that exists for the text so far.
        complete: no more text or audio will come.
    """
    text = text.strip()
    if heard_ms <= 0 or not text:
        return ""
    whole_ms = received_ms if complete else max(received_ms, len(text) * FASTEST_MS_PER_CHAR)
    if heard_ms >= whole_ms:
        return text
    end = len(text) * heard_ms // whole_ms
    has_words = text.isascii() or any(character.isspace() for character in text)
    if has_words and not text[end].isspace():
        while end > 0 and not text[end - 1].isspace():
            end -= 1
    return text[:end].strip()
