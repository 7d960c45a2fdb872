"""The agent as one speech-to-speech model: its voice detection takes turns, this file keeps what was heard true.

When the callee begins to speak the line falls silent at once, the model is told how much of its item was heard, and our
transcript is cut likewise. Responses are asked for through the model, which keeps them one at a time. Audio passes
through undecoded. Source: OpenAI, Realtime conversations, interruption and truncation.
"""

import asyncio
from typing import assert_never

import structlog

from media.conversation.course import AskWhetherThere, Course, Over, SayGoodbye
from media.conversation.prompts import GO_ON, SILENCE_GOODBYE, SILENCE_PROMPT, TIME_GOODBYE
from media.errors import ProviderError
from media.line import Cut
from media.pipelines.alarm import Alarm
from media.pipelines.pipeline import Conversation
from media.pipelines.tool_calls import run_tools
from media.ports import (
    RealtimeModel,
    RtAgentText,
    RtAudio,
    RtCalleeText,
    RtCommitted,
    RtEvent,
    RtItemDone,
    RtResponseDone,
    RtSpeechStarted,
    RtSpeechStopped,
    ToolRequest,
)
from schema.outcomes import EndReason

log = structlog.get_logger()

ANSWER_PATIENCE_S = 10.0
"""How long an answer that is owed keeps the line busy without a sign of it."""
LATE_WORDS_S = 1.2
"""How long transcripts may still arrive after the call."""
MAX_FAILURES = 2


class RealtimePipeline:
    """One call's agent; keeps the `Pipeline` promise.

    Args:
        first_sentence: what the agent says first, word for word; None lets it open by itself.
        silence_s: silence after which the agent asks whether anybody is there.
    """

    def __init__(self, model: RealtimeModel, *, first_sentence: str | None, silence_s: float) -> None:
        self._model = model
        self._first_sentence = first_sentence
        self._course = Course(silence_s)
        self._alarm = Alarm()
        self._gone = False
        self._callee_speaks = False
        self._speech_began_at = 0.0
        self._speech_ended_at = 0.0
        self._asked = 0
        self._turn_owed = False
        self._owed_until = 0.0
        self._muted = False
        self._spoke = False
        self._failures = 0
        self._open_items: list[str] = []

    async def open(self) -> None:
        """Connect the model. Raises ProviderError."""
        await self._model.open()

    def callee_audio(self, audio: bytes) -> None:
        """Pass callee audio on."""
        self._model.send_audio(audio)

    def wind_up(self, reason: EndReason) -> None:
        """Say goodbye, then return this reason from `converse`."""
        self._course.want_end(reason, self._talk.clock.now())
        self._alarm.ring()

    def line_gone(self, cuts: tuple[Cut, ...]) -> None:
        """Cut what was not heard and come to an end."""
        self._gone = True
        self._note_cuts(cuts)
        self._alarm.ring()

    async def close(self) -> None:
        """Close the model, within a second."""
        await self._model.close()

    async def converse(self, conversation: Conversation) -> None:
        """Greet, converse, end. Raises ProviderError in an exception group."""
        self._talk = conversation
        conversation.line.listener = self
        async with asyncio.TaskGroup() as tasks:
            reader = tasks.create_task(self._read())
            await self._direct()
            reader.cancel()

    def utterance_began(self, utterance: str, sent_at: float, heard_at: float) -> None:
        """Note when the first frame of an item went out."""
        self._talk.transcript.agent_began(utterance, heard_at, self._talk.latency.answered(sent_at))

    def utterance_played(self, utterance: str, at: float) -> None:
        """Note that an item was heard to its end."""
        self._talk.transcript.agent_played(utterance, at)
        self._alarm.ring()

    async def _direct(self) -> None:
        await self._talk.ringing.wait()
        if not self._gone:
            self._expect_asked()
            await self._model.greet(self._first_sentence)
        await self._talk.answered.wait()
        while not self._gone:
            now = self._talk.clock.now()
            match self._course.review(now, busy=self._busy(now)):
                case AskWhetherThere():
                    await self._say(SILENCE_PROMPT)
                case SayGoodbye(reason):
                    await self._say(SILENCE_GOODBYE if reason is EndReason.INACTIVITY_TIMEOUT else TIME_GOODBYE)
                case Over(reason):
                    self._talk.end(reason)
                case None:
                    pass
            await self._alarm.wait(self._next_review_s())
        if self._callee_speaks:
            self._speech_ended_at = self._talk.clock.now()
            await self._model.end_turn()
        await self._late_words()

    @property
    def _owed(self) -> bool:
        """Whether an answer is on its way: one that we asked for, or the server's own to a callee turn."""
        return self._asked > 0 or self._turn_owed

    def _busy(self, now: float) -> bool:
        if self._owed and now >= self._owed_until:
            self._asked, self._turn_owed = 0, False
        return self._callee_speaks or self._owed or not self._talk.line.idle

    def _next_review_s(self) -> float | None:
        waits = [self._course.deadline, self._owed_until if self._owed else None]
        due = [at for at in waits if at is not None]
        return max(0.0, min(due) - self._talk.clock.now()) if due else None

    async def _late_words(self) -> None:
        until = self._talk.clock.now() + LATE_WORDS_S
        while (self._callee_speaks or self._talk.transcript.awaits_text) and self._talk.clock.now() < until:
            await self._alarm.wait(until - self._talk.clock.now())

    async def _say(self, instructions: str) -> None:
        self._expect_asked()
        await self._model.say(instructions)

    def _expect_asked(self) -> None:
        self._asked += 1
        self._owed_until = self._talk.clock.now() + ANSWER_PATIENCE_S

    async def _read(self) -> None:
        async for event in self._model.events():
            await self._take(event)
        if not self._gone:
            raise ProviderError("realtime", "the session ended", EndReason.PROVIDER_CLOSED)

    async def _take(self, event: RtEvent) -> None:
        match event:
            case RtAudio():
                self._hear_agent(event)
            case RtAgentText():
                if not self._muted:
                    self._talk.latency.reached("first_token", self._talk.clock.now())
                    self._talk.transcript.agent_text(event.item_id, event.text)
            case RtItemDone():
                self._talk.line.finish(event.item_id)
            case RtSpeechStarted():
                await self._callee_begins()
            case RtSpeechStopped():
                self._callee_stops()
            case RtCommitted():
                self._callee_spoke(event.item_id)
            case RtCalleeText():
                self._callee_said(event)
            case RtResponseDone():
                await self._response_done(event)
            case _:
                assert_never(event)

    def _hear_agent(self, event: RtAudio) -> None:
        if self._muted or self._gone:
            return
        now = self._talk.clock.now()
        self._talk.latency.reached("first_token", now)
        self._talk.latency.reached("first_audio", now)
        self._owed_until = now + ANSWER_PATIENCE_S
        self._spoke = True
        if event.item_id not in self._open_items:
            self._open_items.append(event.item_id)
        self._talk.line.play(event.item_id, event.audio)

    async def _callee_begins(self) -> None:
        now = self._talk.clock.now()
        self._speech_began_at = now
        if self._course.forced or self._gone:
            return
        self._callee_speaks = True
        self._course.call_off()
        self._talk.latency.abandon()
        self._muted = self._owed or bool(self._open_items)
        cuts = self._talk.line.interrupt()
        self._note_cuts(cuts)
        for cut in cuts:
            await self._model.truncate(cut.utterance, cut.heard_ms)
        self._alarm.ring()

    def _callee_stops(self) -> None:
        now = self._talk.clock.now()
        self._callee_speaks = False
        self._speech_ended_at = now
        self._talk.latency.speech_ended(now)
        self._alarm.ring()

    def _callee_spoke(self, item_id: str) -> None:
        ended_at = max(self._speech_began_at, self._speech_ended_at)
        self._talk.transcript.callee_turn(item_id, began_at=self._speech_began_at, ended_at=ended_at)
        self._callee_speaks = False
        self._muted = False
        self._turn_owed = True
        self._owed_until = self._talk.clock.now() + ANSWER_PATIENCE_S

    def _callee_said(self, event: RtCalleeText) -> None:
        now = self._talk.clock.now()
        if event.text.strip():
            self._course.callee_active(now)
        self._talk.latency.reached("transcript", now)
        self._talk.transcript.callee_text(event.item_id, event.text, at=now)
        self._alarm.ring()

    async def _response_done(self, event: RtResponseDone) -> None:
        self._asked = self._asked if self._turn_owed else max(0, self._asked - 1)
        self._turn_owed = False
        self._muted = False
        items, self._open_items = self._open_items, []
        for item_id in items:
            self._talk.line.finish(item_id)
        spoke, self._spoke = self._spoke, False
        self._failures = self._failures + 1 if event.status == "failed" else 0
        if self._failures >= MAX_FAILURES:
            raise ProviderError("realtime", f"two responses failed: {event.detail}", EndReason.PROVIDER_ERROR)
        if event.status == "failed" and not self._course.ending:
            log.warning("response_failed", detail=event.detail)
            await self._say(GO_ON)
        if event.status == "completed" and event.tool_requests:
            await self._run_tools(event.tool_requests, spoke=spoke)
        self._alarm.ring()

    async def _run_tools(self, requests: tuple[ToolRequest, ...], *, spoke: bool) -> None:
        outcome = run_tools(self._talk, requests, spoke=spoke)
        respond = outcome.respond and not self._callee_speaks
        if respond:
            self._expect_asked()
        await self._model.answer_tools(outcome.results, respond=respond)
        if outcome.ends and not self._callee_speaks:
            self._course.end_after_farewell(EndReason.AGENT_END_CALL, self._talk.clock.now())

    def _note_cuts(self, cuts: tuple[Cut, ...]) -> None:
        now = self._talk.clock.now()
        for cut in cuts:
            self._talk.transcript.agent_cut(
                cut.utterance, now, heard_ms=cut.heard_ms, received_ms=cut.received_ms, complete=cut.complete
            )
