"""A chat model behind any OpenAI-compatible address, streamed over the vendor's SDK.

The response is read line by line and unparsed, so that a token costs one small JSON text. Closing the iterator closes
the response, which stops generation. Deadlines: one for the first token, one between tokens. Requests are never retried
here, except that a sampling temperature which the model refuses is left out from then on.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager
from typing import cast

from httpx2 import HTTPError, TimeoutException
from openai import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AsyncAPIResponse,
    AsyncStream,
    OpenAIError,
    Timeout,
    omit,
)
from openai.types.chat import ChatCompletionChunk, ChatCompletionFunctionToolParam, ChatCompletionMessageParam

from media.errors import ProviderError
from media.llm.chat_codec import PROVIDER, ReplyReader, request_messages, request_tools
from media.llm.client import CONNECT_S, openai_client
from media.ports import Message, ReplyEvent, ToolSpec
from schema.outcomes import EndReason

STALL_S = 8.0
"""Longest pause between two pieces of a reply."""
TAIL_S = 0.2
"""How long the end of a complete reply is awaited, so that its connection can be used again."""
_AUTH_STATUSES = frozenset({401, 403})
_Response = AsyncAPIResponse[AsyncStream[ChatCompletionChunk]]


class ChatModel:
    """Streams replies of one model.

    Args:
        base_url: an OpenAI-compatible address, e.g. https://api.openai.com/v1.
        first_token_timeout_s: deadline for the first text or the first piece of a tool call.
    """

    def __init__(
        self, *, base_url: str, api_key: str, model: str, temperature: float, first_token_timeout_s: float
    ) -> None:
        self._base_url = base_url
        self._api_key = api_key
        self._model = model
        self._temperature: float | None = temperature
        self._first_token_timeout_s = first_token_timeout_s

    async def reply(
        self, messages: tuple[Message, ...], tools: tuple[ToolSpec, ...]
    ) -> AsyncGenerator[ReplyEvent, None]:
        """Stream the next reply: text as it comes, then the tools it asks for.

        Raises:
            ProviderError: The key is refused, a deadline passed, the reply broke off, or the model failed.
        """
        loop = asyncio.get_running_loop()
        reader = ReplyReader()
        deadline_at: float | None = loop.time() + self._first_token_timeout_s
        async with AsyncExitStack() as stack:
            with _faults_told_apart():
                async with asyncio.timeout_at(deadline_at):
                    response = await self._begin(stack, messages, tools)
            lines = response.iter_lines()
            while (line := await _next_line(lines, reader, deadline_at)) is not None:
                for event in reader.receive(line):
                    yield event
                if reader.is_over:
                    deadline_at = loop.time() + TAIL_S
                elif reader.has_begun:
                    deadline_at = None
        if not reader.is_over:
            raise ProviderError(PROVIDER, "the reply broke off", EndReason.PROVIDER_CLOSED)
        for request in reader.tool_requests():
            yield request

    async def _begin(
        self, stack: AsyncExitStack, messages: tuple[Message, ...], tools: tuple[ToolSpec, ...]
    ) -> _Response:
        """Make the request; the response is closed with the stack."""
        try:
            return await stack.enter_async_context(self._request(messages, tools))
        except APIStatusError as error:
            if self._temperature is None or not _refuses_temperature(error):
                raise
            self._temperature = None
            return await stack.enter_async_context(self._request(messages, tools))

    def _request(
        self, messages: tuple[Message, ...], tools: tuple[ToolSpec, ...]
    ) -> AbstractAsyncContextManager[_Response]:
        completions = openai_client(self._base_url, self._api_key).chat.completions
        return completions.with_streaming_response.create(
            model=self._model,
            messages=cast("list[ChatCompletionMessageParam]", request_messages(messages)),
            tools=cast("list[ChatCompletionFunctionToolParam]", request_tools(tools)) if tools else omit,
            temperature=omit if self._temperature is None else self._temperature,
            stream=True,
            timeout=Timeout(max(STALL_S, self._first_token_timeout_s), connect=CONNECT_S),
        )


async def _next_line(lines: AsyncIterator[str], reader: ReplyReader, deadline_at: float | None) -> str | None:
    """Read on; None at the end. Once the reply is over nothing that happens to its tail matters."""
    try:
        with _faults_told_apart():
            async with asyncio.timeout_at(deadline_at):
                return await anext(lines, None)
    except ProviderError:
        if reader.is_over:
            return None
        raise


@contextmanager
def _faults_told_apart() -> Iterator[None]:
    try:
        yield
    except (TimeoutError, HTTPError, OpenAIError) as error:
        raise _fault(error) from error


def _fault(error: Exception) -> ProviderError:
    if isinstance(error, APIStatusError):
        return _status_fault(error)
    if isinstance(error, TimeoutError | APITimeoutError | TimeoutException):
        return ProviderError(PROVIDER, "no token in time", EndReason.PROVIDER_TIMEOUT)
    if isinstance(error, APIConnectionError | HTTPError):
        return ProviderError(PROVIDER, f"connection lost: {type(error).__name__}", EndReason.PROVIDER_CLOSED)
    return ProviderError(PROVIDER, type(error).__name__, EndReason.PROVIDER_ERROR)


def _status_fault(error: APIStatusError) -> ProviderError:
    refused = error.status_code in _AUTH_STATUSES
    reason = EndReason.PROVIDER_AUTH if refused else EndReason.PROVIDER_ERROR
    return ProviderError(PROVIDER, f"HTTP {error.status_code}, code {error.code}", reason)


def _refuses_temperature(error: APIStatusError) -> bool:
    return error.status_code == 400 and (error.param == "temperature" or "temperature" in error.message)
