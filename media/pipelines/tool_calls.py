"""Run the tools a model asks for and write down that it did. The built-in ones only change the call itself."""

from dataclasses import dataclass

import orjson

from media.conversation.tools import answer_tool
from media.pipelines.pipeline import Conversation
from media.ports import ToolRequest
from schema.callspec import ToolCall


@dataclass(frozen=True, slots=True)
class ToolOutcome:
    """What the model is told as (request id, JSON text), whether the call ends, whether the model speaks next."""

    results: tuple[tuple[str, str], ...]
    ends: bool
    respond: bool


def run_tools(talk: Conversation, requests: tuple[ToolRequest, ...], *, spoke: bool) -> ToolOutcome:
    """Run all requests of one reply; `spoke` tells whether the agent said something in it."""
    answers = [answer_tool(request, spoke=spoke) for request in requests]
    at_ms = talk.ms_since_answer()
    for request, answer in zip(requests, answers, strict=True):
        talk.tool_calls.append(ToolCall(request.name, request.arguments, answer.result, at_ms, 0))
        talk.opted_out = talk.opted_out or answer.opts_out
    ends = any(answer.ends_call for answer in answers)
    return ToolOutcome(
        results=tuple(
            (request.id, orjson.dumps(answer.result).decode())
            for request, answer in zip(requests, answers, strict=True)
        ),
        ends=ends,
        respond=any(answer.respond for answer in answers) and not (ends and spoke),
    )
