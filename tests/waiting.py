"""Waiting for a condition of another process: the one place in the tests that sleeps, between two looks."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

LOOK_EVERY_S = 0.05


def wait_for(look: Callable[[], T | None], *, what: str, within_s: float = 30.0) -> T:
    """Look until the answer is truthy and return it.

    Raises:
        TimeoutError: nothing came within the time.
    """
    deadline = time.monotonic() + within_s
    while True:
        answer = look()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not happen within {within_s} s")
        time.sleep(LOOK_EVERY_S)
