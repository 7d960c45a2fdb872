"""A language model that answers in JSON, over any server that speaks the chat completions protocol.

Asks for a schema first and falls back, rung by rung, to what the server can do; the rung that worked is remembered.
Checks only that the answer is one JSON object: what it must contain is the caller's business. The server is the
operator's choice, so this client is not the guarded one. Source: OpenAI API reference, chat completions.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

import openai
from openai.types.chat import ChatCompletion, ChatCompletionMessageParam
from openai.types.chat.completion_create_params import ResponseFormat
from pydantic import BaseModel, ValidationError
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from dispatcher.errors import DispatcherError

TRIES = 3
_MAX_BACKOFF_S = 8.0
_UNSUPPORTED = (openai.BadRequestError, openai.NotFoundError, openai.UnprocessableEntityError)


class ChatFailed(DispatcherError):
    """The model gave no answer; `detail` says why, without a secret in it."""

    def __init__(self, detail: str) -> None:
        self.detail = detail
        super().__init__(detail)


class UnusableAnswer(ChatFailed):
    """The model answered `answer`, which cannot be used; asking again may help."""

    def __init__(self, detail: str, answer: str) -> None:
        super().__init__(detail)
        self.answer = answer


class Rung(IntEnum):
    """How an answer in JSON is asked for, the strictest first."""

    JSON_SCHEMA = 0
    JSON_OBJECT = 1
    PLAIN_TEXT = 2


@dataclass(frozen=True, slots=True)
class Message:
    """One message to the model, or one it gave."""

    role: Literal["system", "user", "assistant"]
    text: str


class _Said(BaseModel, from_attributes=True):
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel, from_attributes=True):
    message: _Said
    finish_reason: str | None = None


class _Completion(BaseModel, from_attributes=True):
    choices: list[_Choice]


class Chat:
    """A chat model on one server. Safe to share between threads.

    Args:
        base_url: up to the version, e.g. https://api.openai.com/v1.
        timeout_s: limit of one request; a time-out is not tried again.
        backoff_s: first wait after a refused connection, 429 or 5xx; doubles, with jitter.
    """

    def __init__(
        self, base_url: str, api_key: str, model: str, timeout_s: float = 30.0, *, backoff_s: float = 0.5
    ) -> None:
        self._client = openai.OpenAI(base_url=base_url, api_key=api_key, timeout=timeout_s, max_retries=0)
        self._model = model
        self._timeout_s = timeout_s
        self._rung = Rung.JSON_SCHEMA
        self._retrying = Retrying(
            retry=retry_if_exception(_may_pass),
            stop=stop_after_attempt(TRIES),
            wait=wait_random_exponential(multiplier=backoff_s, max=_MAX_BACKOFF_S),
            reraise=True,
        )

    def structured(self, messages: Sequence[Message], schema: Mapping[str, object], name: str) -> dict[str, object]:
        """Ask for one JSON object that follows a JSON Schema; the server may not have enforced it.

        Raises:
            UnusableAnswer: the answer is not a JSON object.
            ChatFailed: no answer: unreachable, refused, cut off.
        """
        refused: ChatFailed = ChatFailed("the model takes no request")
        for rung in list(Rung)[self._rung :]:
            try:
                completion = self._retrying.copy()(self._ask, messages, schema, name, rung)
            except _UNSUPPORTED as error:
                refused = ChatFailed(_words(error, self._timeout_s))
                continue
            except openai.OpenAIError as error:
                raise ChatFailed(_words(error, self._timeout_s)) from error
            self._rung = rung
            return _json_object(_text(completion))
        raise refused

    def _ask(self, messages: Sequence[Message], schema: Mapping[str, object], name: str, rung: Rung) -> ChatCompletion:
        sent = list(messages)
        response_format: ResponseFormat | openai.Omit
        match rung:
            case Rung.JSON_SCHEMA:
                response_format = {
                    "type": "json_schema",
                    "json_schema": {"name": name, "schema": dict(schema), "strict": True},
                }
            case Rung.JSON_OBJECT:
                response_format = {"type": "json_object"}
                sent.append(_in_words(schema))
            case Rung.PLAIN_TEXT:
                response_format = openai.omit
                sent.append(_in_words(schema))
        return self._client.chat.completions.create(
            model=self._model, messages=[_param(message) for message in sent], response_format=response_format
        )


def _may_pass(error: BaseException) -> bool:
    """Tell whether the same request may succeed a moment later."""
    if isinstance(error, openai.APITimeoutError):
        return False
    if isinstance(error, openai.RateLimitError):
        return error.code != "insufficient_quota"
    return isinstance(error, (openai.APIConnectionError, openai.InternalServerError))


def _words(error: openai.OpenAIError, timeout_s: float) -> str:
    if isinstance(error, openai.APITimeoutError):
        return f"the language model gave no answer within {timeout_s:g} s"
    if isinstance(error, openai.APIConnectionError):
        return "the language model cannot be reached"
    if isinstance(error, openai.APIStatusError):
        return f"the language model answered {error.status_code}"
    return f"the language model failed: {type(error).__name__}"


def _in_words(schema: Mapping[str, object]) -> Message:
    return Message(
        "system", "Answer with one JSON object and nothing else. It must follow this JSON Schema: " + json.dumps(schema)
    )


def _param(message: Message) -> ChatCompletionMessageParam:
    match message.role:
        case "system":
            return {"role": "system", "content": message.text}
        case "user":
            return {"role": "user", "content": message.text}
        case "assistant":
            return {"role": "assistant", "content": message.text}


def _text(completion: object) -> str:
    """Take the text of an answer; the SDK itself checks no shape, and servers differ."""
    try:
        choices = _Completion.model_validate(completion).choices
    except ValidationError as error:
        raise ChatFailed("the language model's answer cannot be read") from error
    if not choices:
        raise ChatFailed("the language model answered nothing")
    choice = choices[0]
    if choice.message.refusal:
        raise ChatFailed("the language model refused to answer")
    if choice.finish_reason in ("length", "content_filter"):
        raise ChatFailed(f"the language model's answer was cut off ({choice.finish_reason})")
    return choice.message.content or ""


def _json_object(text: str) -> dict[str, object]:
    """Read the JSON object in an answer, with or without words or a code fence around it."""
    first, last = text.find("{"), text.rfind("}")
    try:
        found = json.loads(text[first : last + 1], parse_constant=_not_json)
    except (ValueError, RecursionError) as error:
        raise UnusableAnswer(f"the answer is not JSON: {error}", text) from None
    if not isinstance(found, dict):
        raise UnusableAnswer("the answer is not a JSON object", text)
    return found


def _not_json(constant: str) -> object:
    raise ValueError(f"{constant} is not JSON")
