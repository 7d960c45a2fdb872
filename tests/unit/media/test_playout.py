"""The account of an utterance never claims that more was heard than was said."""

from hypothesis import given
from hypothesis import strategies as st

from media.conversation.playout import BYTES_PER_S, Playout

EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("received"), st.integers(0, 4000)),
        st.tuples(st.just("sent"), st.integers(0, 4000)),
        st.tuples(st.just("wait"), st.integers(0, 800)),
        st.tuples(st.just("mark"), st.just(0)),
        st.tuples(st.just("interrupt"), st.just(0)),
    ),
    max_size=40,
)


@given(EVENTS)
def test_heard_never_exceeds_sent_nor_received_and_never_shrinks(events: list[tuple[str, int]]) -> None:
    account, now, heard, cut_at = Playout(), 50.0, 0, None
    for kind, size in events:
        if kind == "received":
            account.received(size)
        elif kind == "sent":
            account.sent(size, now=now, ends_at=max(account.ends_at, now) + size / BYTES_PER_S)
        elif kind == "wait":
            now += size / 1000
        elif kind == "mark":
            account.confirm()
        else:
            account.interrupt(now)
            cut_at = account.heard_bytes(now) if cut_at is None else cut_at
        now_heard = account.heard_bytes(now)
        assert heard <= now_heard <= account.sent_bytes <= account.received_bytes
        assert account.heard_ms(now) <= account.received_ms
        assert cut_at is None or now_heard == cut_at
        heard = now_heard


def test_heard_is_what_has_had_time_to_play() -> None:
    account = Playout()
    account.received(8000)
    account.sent(800, now=10.0, ends_at=10.1)
    assert account.first_sent_at == 10.0
    assert account.heard_ms(10.0) == 0
    assert account.heard_ms(10.04) == 40
    assert account.heard_ms(10.5) == 100


def test_a_mark_proves_that_all_that_was_sent_has_been_heard() -> None:
    account = Playout()
    account.received(800)
    account.sent(800, now=10.0, ends_at=10.1)
    account.confirm()
    assert account.heard_ms(10.01) == 100


def test_a_mark_that_a_clear_gave_back_proves_nothing() -> None:
    account = Playout()
    account.received(800)
    account.sent(800, now=10.0, ends_at=10.1)
    account.interrupt(10.03)
    account.confirm()
    assert account.heard_ms(11.0) == 30


def test_only_a_complete_utterance_can_be_fully_heard() -> None:
    account = Playout()
    account.received(800)
    account.sent(800, now=10.0, ends_at=10.1)
    assert not account.fully_heard(11.0)
    account.complete = True
    assert account.fully_heard(11.0)
