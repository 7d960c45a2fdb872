"""Tells the other side how a call progresses: signed form posts, one after another per call, never repeated.

The signature covers the exact URL and every field, as Twilio's RequestValidator computes it. Twilio promises no order
and may lose or double a callback; here that happens only when a fault asks for it.
"""

import asyncio
import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha1
from hmac import new as hmac_new
from typing import Final
from uuid import uuid4

import aiohttp

from deploy.simulator.faults import Fault
from deploy.simulator.ledger import CallbackSent, CallTruth
from deploy.simulator.stage import NotLoopback, Stage, require_loopback

SIGNATURE_HEADER: Final = "X-Twilio-Signature"
_USER_AGENT: Final = "TwilioProxy/1.1"


def signature(auth_token: str, url: str, form: Mapping[str, str]) -> str:
    """Return base64(HMAC-SHA1(token, URL + each field's name and value, sorted by name))."""
    text = url + "".join(name + form[name] for name in sorted(form))
    return b64encode(hmac_new(auth_token.encode(), text.encode(), sha1).digest()).decode()


@dataclass(frozen=True, slots=True)
class _Post:
    url: str
    form: dict[str, str]
    status: str


class Callbacks:
    """The callbacks of one call, posted in order."""

    def __init__(self, stage: Stage, call: CallTruth) -> None:
        self._stage = stage
        self._call = call
        self._queue: asyncio.Queue[_Post | None] = asyncio.Queue()
        self._held: _Post | None = None
        self._done = stage.spawn(self._post_all())

    def tell(self, url: str, status: str, form: dict[str, str]) -> None:
        """Queue one callback."""
        if url:
            self._queue.put_nowait(_Post(url, form, status))

    async def finish(self) -> None:
        """Post what is queued, and return."""
        self._queue.put_nowait(None)
        await self._done

    async def _post_all(self) -> None:
        while (post := await self._queue.get()) is not None:
            fault = self._stage.faults.take("twilio", "callback", number=self._call.to, subject=post.status)
            await self._act(post, fault)
        await self._release_held()

    async def _act(self, post: _Post, fault: Fault | None) -> None:
        match fault.kind if fault else "":
            case "lost":
                self._call.callbacks.append(CallbackSent(post.status, time.time(), 0))
                return
            case "reorder":
                self._held = post
                return
            case "delay" if fault:
                await asyncio.sleep(fault.delay_ms / 1000)
            case "duplicate":
                await self._post(post)
            case _:
                pass
        await self._post(post)
        await self._release_held()

    async def _release_held(self) -> None:
        if self._held is not None:
            held, self._held = self._held, None
            await self._post(held)

    async def _post(self, post: _Post) -> None:
        token = self._stage.settings.twilio_token
        headers = {
            SIGNATURE_HEADER: signature(token, post.url, post.form),
            "I-Twilio-Idempotency-Token": str(uuid4()),
            "User-Agent": _USER_AGENT,
            "Accept": "*/*",
        }
        at = time.time()
        try:
            require_loopback(post.url)
            async with self._stage.http.post(post.url, data=post.form, headers=headers) as answer:
                await answer.read()
                http_status = answer.status
        except (aiohttp.ClientError, TimeoutError, NotLoopback):
            http_status = 0
        self._call.callbacks.append(CallbackSent(post.status, at, http_status))
