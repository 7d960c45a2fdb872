"""Templates under any text and any values."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatcher.rules.templates import MissingValueError, fill, missing, placeholders

names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}(\.[A-Za-z0-9_]{1,4}){0,2}", fullmatch=True)
plain = st.text(st.characters(exclude_characters="{}"), max_size=20)
values = st.text(max_size=20) | st.integers() | st.sampled_from(["{{name}}", "}}", "{{", "\\1", "\\g<0>"])
gaps = st.sampled_from(["", " ", "  ", "\t", "\n"])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(plain, names, gaps, values), max_size=6), plain)
def test_filling_replaces_each_placeholder_and_nothing_else(
    pieces: list[tuple[str, str, str, str | int]], tail: str
) -> None:
    known = {name: value for _, name, _, value in pieces}
    text = "".join(f"{before}{{{{{gap}{name}{gap}}}}}" for before, name, gap, _ in pieces) + tail
    assert placeholders(text) == set(known)
    assert missing([text], known) == ()
    assert fill(text, known) == "".join(f"{before}{known[name]}" for before, name, _, _ in pieces) + tail


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80) | st.lists(st.sampled_from(["{{", "}}", "a", " ", "{", ".", "b1", "é"])).map("".join))
def test_filling_fails_exactly_when_something_is_missing(text: str) -> None:
    lacking = missing([text], {})
    assert set(lacking) == placeholders(text)
    if not lacking:
        assert fill(text, {}) == text
        return
    with pytest.raises(MissingValueError) as caught:
        fill(text, {})
    assert caught.value.name == lacking[0]
