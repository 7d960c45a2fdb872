"""OpenAI's chat completions and model list over HTTP: streamed or whole, text, tools and structured output.

What is said is the brain's; this file decides only the wire. Source: OpenAI API reference, chat completions.
"""

import asyncio
import re
import time
from collections.abc import Iterator
from typing import Any, Final
from uuid import uuid4

import orjson
from aiohttp import web

from deploy.simulator.brain import Line, Prompt, Reply, ToolOffer, reply
from deploy.simulator.faults import Fault
from deploy.simulator.json_answers import Evidence, fill
from deploy.simulator.obstruction import obstruct
from deploy.simulator.openai_errors import key_refused, openai_error, openai_refusal
from deploy.simulator.stage import stage_of

MODELS: Final = ("gpt-realtime-2.1", "gpt-realtime-2.1-mini", "gpt-5.6-terra", "gpt-5.6-luna", "gpt-transcribe")
_TOKEN: Final = re.compile(r"\s*\S+")
_TOKEN_S: Final = 0.002
_CUT_AFTER_CHUNKS: Final = 3
_ARGUMENT_CHARS: Final = 8
_WRITTEN_SCHEMA: Final = re.compile(r"\{.*\}", re.DOTALL)

Json = dict[str, Any]


async def completions(request: web.Request) -> web.StreamResponse:
    """POST /chat/completions."""
    if (refused := key_refused(request)) is not None:
        return refused
    raw = await request.read()
    fault = stage_of(request).faults.take("openai_chat", "request", subject=raw.decode("utf-8", "replace"))
    if fault is not None and fault.kind == "not_json":
        return web.Response(text=fault.text or "<html>Bad gateway</html>", content_type="text/html")
    if fault is not None and fault.kind in {"refuse", "half_open", "delay"}:
        obstacle = await obstruct(request, fault, openai_refusal)
        if obstacle is not None:
            return obstacle
    return await _complete(request, raw, fault)


async def _complete(request: web.Request, raw: bytes, fault: Fault | None) -> web.StreamResponse:
    settings = stage_of(request).settings
    try:
        body = orjson.loads(raw)
        prompt = read_prompt(body)
        completion = _Completion(
            str(body["model"]), body["messages"], _answer(body, prompt, "openai" in settings.canned)
        )
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        return openai_error(400, f"Invalid request body: {error!r}", code="invalid_request_body")
    if not body["messages"]:
        return openai_error(400, "Invalid 'messages': empty array.", code="empty_array", param="messages")
    await asyncio.sleep(settings.think_ms / 1000)
    if body.get("stream"):
        with_usage = bool((body.get("stream_options") or {}).get("include_usage"))
        return await _stream(request, completion, fault, with_usage=with_usage)
    if fault is not None:
        await obstruct(request, fault, openai_refusal)
    return web.json_response(completion.whole(), headers={"x-request-id": completion.id})


def read_prompt(body: Json) -> Prompt:
    """Read a request's messages and tools; raises KeyError, TypeError or AttributeError on a malformed one."""
    instructions, extra, lines = "", "", []
    for message in body["messages"]:
        role, text = message["role"], _text(message.get("content"))
        if role in {"system", "developer"}:
            instructions, extra = (text, "") if not instructions else (instructions, text)
            continue
        extra = ""
        if role == "tool":
            lines.append(Line("tool", text))
            continue
        if text:
            lines.append(Line("assistant" if role == "assistant" else "user", text))
        lines += [Line("call", call["function"]["name"]) for call in message.get("tool_calls") or ()]
    allowed = body.get("tool_choice") != "none"
    tools = [tool["function"] for tool in body.get("tools") or () if allowed and tool["type"] == "function"]
    offers = tuple(ToolOffer(tool["name"], tool.get("parameters") or {}) for tool in tools)
    return Prompt(instructions, extra, tuple(lines), offers)


def _text(content: Any) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    return " ".join(part.get("text", "") for part in content)


def _answer(body: Json, prompt: Prompt, canned: bool) -> Reply:
    wanted = body.get("response_format") or {"type": "text"}
    said = "\n".join(_text(m.get("content")) for m in body["messages"] if m["role"] == "user")
    if wanted["type"] == "json_schema":
        return Reply(_json(fill(wanted["json_schema"]["schema"], Evidence.of(said))))
    if wanted["type"] == "json_object":
        return Reply(_json(_described_object(body["messages"], said)))
    return Reply("yes, i see. and what about tomorrow morning?") if canned else reply(prompt)


def _described_object(messages: list[Json], said: str) -> Json:
    """Fill the JSON Schema written out in the messages, as a model without schema support would."""
    for message in messages:
        found = _WRITTEN_SCHEMA.search(_text(message.get("content")))
        if found is None:
            continue
        try:
            schema = orjson.loads(found.group())
        except orjson.JSONDecodeError:
            continue
        if isinstance(schema, dict) and "properties" in schema:
            filled: Json = fill(schema, Evidence.of(said))
            return filled
    return {"answer": said[-200:]}


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


class _Completion:
    """One answer, whole or in chunks."""

    def __init__(self, model: str, messages: list[Json], answer: Reply) -> None:
        self.id = f"chatcmpl-{uuid4().hex[:24]}"
        self._model = model
        self._created = int(time.time())
        self._answer = answer
        self._calls = [(f"call_{uuid4().hex[:24]}", call) for call in answer.calls]
        self._finish = "tool_calls" if answer.calls else "stop"
        asked = sum(len(_text(m.get("content"))) for m in messages) // 4 + 1
        answered = (len(answer.text) + sum(len(call.arguments) for call in answer.calls)) // 4 + 1
        self._usage = {"prompt_tokens": asked, "completion_tokens": answered, "total_tokens": asked + answered}

    def whole(self) -> Json:
        """Return the completion as one object."""
        message: Json = {"role": "assistant", "content": self._answer.text or None, "refusal": None}
        if self._calls:
            message["tool_calls"] = [
                {"id": each, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
                for each, call in self._calls
            ]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self._finish}
        return self._head("chat.completion") | {"choices": [choice], "usage": self._usage}

    def chunks(self, *, with_usage: bool) -> Iterator[Json]:
        """Yield the completion token by token; tool arguments come in pieces."""
        yield self._chunk({"role": "assistant", "content": "" if self._answer.text else None, "refusal": None})
        for token in _TOKEN.findall(self._answer.text):
            yield self._chunk({"content": token})
        for index, (each, call) in enumerate(self._calls):
            function = {"name": call.name, "arguments": ""}
            yield self._chunk({"tool_calls": [{"index": index, "id": each, "type": "function", "function": function}]})
            for at in range(0, len(call.arguments), _ARGUMENT_CHARS):
                piece = {"arguments": call.arguments[at : at + _ARGUMENT_CHARS]}
                yield self._chunk({"tool_calls": [{"index": index, "function": piece}]})
        yield self._chunk({}, self._finish)
        if with_usage:
            yield self._head("chat.completion.chunk") | {"choices": [], "usage": self._usage}

    def _chunk(self, delta: Json, finish: str | None = None) -> Json:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return self._head("chat.completion.chunk") | {"choices": [choice], "usage": None}

    def _head(self, kind: str) -> Json:
        return {"id": self.id, "object": kind, "created": self._created, "model": self._model}


async def _stream(
    request: web.Request, completion: _Completion, fault: Fault | None, *, with_usage: bool
) -> web.StreamResponse:
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream; charset=utf-8", "x-request-id": completion.id}
    )
    await response.prepare(request)
    kind = fault.kind if fault is not None else ""
    for number, chunk in enumerate(completion.chunks(with_usage=with_usage)):
        if number == _CUT_AFTER_CHUNKS and kind in {"drop", "stall", "malformed"}:
            await _spoil(request, response, kind)
            if kind == "drop":
                return response
        await response.write(b"data: " + orjson.dumps(chunk) + b"\n\n")
        await asyncio.sleep(_TOKEN_S)
    await response.write(b"data: [DONE]\n\n")
    await response.write_eof()
    return response


async def _spoil(request: web.Request, response: web.StreamResponse, kind: str) -> None:
    if kind == "stall":
        await asyncio.Event().wait()
    if kind == "malformed":
        await response.write(b"data: {not json\n\n")
    if kind == "drop" and request.transport is not None:
        request.transport.abort()


async def models(request: web.Request) -> web.Response:
    """GET /models."""
    if (refused := key_refused(request)) is not None:
        return refused
    listed = [{"id": name, "object": "model", "created": 1_780_000_000, "owned_by": "openai"} for name in MODELS]
    return web.json_response({"object": "list", "data": listed})


def routes() -> list[web.AbstractRouteDef]:
    """Return the HTTP routes of OpenAI."""
    return [web.post("/openai/v1/chat/completions", completions), web.get("/openai/v1/models", models)]
