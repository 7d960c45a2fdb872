"""The one OpenAI client of a loop and account, shared by all calls of the process.

Making a client loads the trust store, and its pool keeps connections warm, so there is one per event loop, address and
key. It never retries by itself: whether a request may be repeated is decided where it is made.
"""

import asyncio
from weakref import WeakKeyDictionary

from openai import AsyncOpenAI, Timeout

CONNECT_S = 2.0
READ_S = 30.0

_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, str], AsyncOpenAI]] = WeakKeyDictionary()


def openai_client(base_url: str, api_key: str) -> AsyncOpenAI:
    """Get the running loop's client for an OpenAI-compatible address such as https://api.openai.com/v1."""
    of_loop = _clients.setdefault(asyncio.get_running_loop(), {})
    client = of_loop.get((base_url, api_key))
    if client is None:
        timeout = Timeout(READ_S, connect=CONNECT_S)
        client = AsyncOpenAI(base_url=base_url, api_key=api_key, max_retries=0, timeout=timeout)
        of_loop[base_url, api_key] = client
    return client
