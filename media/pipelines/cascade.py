"""The agent as three providers in a row: speech to text, language model, text to speech.

Turns are taken by `conversation/turns.py`; this file carries out what it commands. An interruption silences the line
first, then stops model and voice, then cuts transcript and history to what was heard.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from media.conversation.course import AskWhetherThere, Course, Over, SayGoodbye
from media.conversation.history import History
from media.conversation.prompts import OPENING, SILENCE_GOODBYE, SILENCE_PROMPT, TIME_GOODBYE
from media.conversation.tools import BUILT_IN_TOOLS
from media.conversation.turns import Answer, Aside, Command, Interrupt, TurnMachine, TurnState
from media.conversation.words import Passage
from media.errors import ProviderError
from media.line import Cut
from media.pipelines.alarm import Alarm
from media.pipelines.pipeline import Conversation
from media.pipelines.reply import Reply, stream_reply
from media.pipelines.tool_calls import run_tools
from media.pipelines.voice import Voice
from media.ports import Heard, LanguageModel, SpeechStarted, SpeechToText, SttEvent, TextToSpeech
from schema.outcomes import EndReason

MAX_TOOL_ROUNDS = 4


class CascadePipeline:
    """One call's agent; keeps the `Pipeline` promise.

    Args:
        first_sentence: what the agent says first, word for word; None lets it open by itself.
        silence_s: silence after which the agent asks whether anybody is there.
    """

    def __init__(
        self,
        stt: SpeechToText,
        model: LanguageModel,
        voice: TextToSpeech,
        *,
        system_prompt: str,
        first_sentence: str | None,
        silence_s: float,
    ) -> None:
        self._stt = stt
        self._model = model
        self._voice = Voice(voice)
        self._first_sentence = first_sentence
        self._history = History(system_prompt)
        self._turns = TurnMachine()
        self._course = Course(silence_s)
        self._alarm = Alarm()
        self._gone = False
        self._replies = 0
        self._callee_turns = 0

    async def open(self) -> None:
        """Connect recogniser and voice. Raises ProviderError in an exception group."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._stt.open())
            tasks.create_task(self._voice.open())

    def callee_audio(self, audio: bytes) -> None:
        """Pass callee audio to the recogniser."""
        self._stt.send_audio(audio)

    def wind_up(self, reason: EndReason) -> None:
        """Say goodbye, then end the conversation for this reason."""
        self._course.want_end(reason, self._talk.clock.now())
        self._alarm.ring()

    def line_gone(self, cuts: tuple[Cut, ...]) -> None:
        """Cut what was not heard, keep what the callee said last, come to an end."""
        self._gone = True
        self._note_cuts(cuts)
        last = self._turns.take_words()
        if last is not None:
            self._write_down(last)
        self._alarm.ring()

    async def close(self) -> None:
        """Close recogniser and voice, within a second."""
        await asyncio.gather(self._stt.close(), self._voice.close())

    async def converse(self, conversation: Conversation) -> None:
        """Greet, converse, end. Raises ProviderError in an exception group."""
        self._talk = conversation
        conversation.line.listener = self
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            readers = [tasks.create_task(self._listen()), tasks.create_task(self._voice.run(conversation))]
            await self._direct()
            await self._voice.silence()
            for reader in readers:
                reader.cancel()

    def utterance_began(self, utterance: str, sent_at: float, heard_at: float) -> None:
        """Note when the first frame of a reply went out."""
        self._talk.transcript.agent_began(utterance, heard_at, self._talk.latency.answered(sent_at))
        if self._voice.reply is not None and self._voice.reply.name == utterance:
            self._turns.reply_heard(sent_at)

    def utterance_played(self, utterance: str, at: float) -> None:
        """A reply was heard to its end: the floor is free."""
        self._talk.transcript.agent_played(utterance, at)
        if self._voice.reply is not None and self._voice.reply.name == utterance:
            self._reply_over()

    async def _direct(self) -> None:
        await self._talk.ringing.wait()
        if not self._gone:
            self._begin_reply(OPENING, fixed=self._first_sentence)
        await self._talk.answered.wait()
        while not self._gone:
            now = self._talk.clock.now()
            await self._obey(self._turns.timer(now))
            match self._course.review(now, busy=self._busy):
                case AskWhetherThere():
                    self._begin_reply(SILENCE_PROMPT)
                case SayGoodbye(reason):
                    await self._say_goodbye(reason)
                case Over(reason):
                    self._talk.end(reason)
                case None:
                    pass
            await self._alarm.wait(self._next_review_s())

    @property
    def _busy(self) -> bool:
        return self._turns.state is not TurnState.LISTENING or not self._talk.line.idle

    def _next_review_s(self) -> float | None:
        due = [at for at in (self._turns.deadline, self._course.deadline) if at is not None]
        return max(0.0, min(due) - self._talk.clock.now()) if due else None

    async def _say_goodbye(self, reason: EndReason) -> None:
        await self._silence_agent()
        self._turns.passage = Passage.FAREWELL
        self._begin_reply(SILENCE_GOODBYE if reason is EndReason.INACTIVITY_TIMEOUT else TIME_GOODBYE)

    async def _listen(self) -> None:
        async for event in self._stt.events():
            await self._obey(self._hear(event))
            self._alarm.ring()
        if not self._gone:
            raise ProviderError("speech to text", "the stream ended", EndReason.PROVIDER_CLOSED)

    def _hear(self, event: SttEvent) -> Command | None:
        now = self._talk.clock.now()
        if self._course.forced or self._gone:
            return None
        if isinstance(event, SpeechStarted):
            return self._turns.speech_started(now)
        if isinstance(event, Heard):
            if event.text.strip():
                self._course.callee_active(now)
            return self._turns.heard(event.text, final=event.final, now=now)
        return self._turns.speech_ended(now)

    async def _obey(self, command: Command | None) -> None:
        if isinstance(command, Interrupt):
            self._course.call_off()
            self._turns.passage = Passage.MIDDLE
            self._talk.latency.abandon()
            await self._silence_agent()
        elif isinstance(command, Aside):
            self._write_down(command)
        elif isinstance(command, Answer):
            self._answer(command)

    def _answer(self, turn: Answer) -> None:
        now = self._talk.clock.now()
        self._talk.latency.speech_ended(turn.ended_at)
        self._talk.latency.reached("transcript", now)
        if not turn.noted:
            self._write_down(turn)
        self._history.callee(turn.text)
        self._begin_reply(None)

    def _write_down(self, said: Answer | Aside) -> None:
        self._callee_turns += 1
        self._talk.transcript.callee_turn(
            f"callee-{self._callee_turns}", began_at=said.began_at, ended_at=said.ended_at, text=said.text
        )

    def _begin_reply(self, instruction: str | None, fixed: str | None = None) -> None:
        self._replies += 1
        reply = Reply(f"reply-{self._replies}")
        self._voice.reply = reply
        self._turns.reply_begins()
        reply.task = self._tasks.create_task(self._make(reply, instruction, fixed))

    async def _make(self, reply: Reply, instruction: str | None, fixed: str | None) -> None:
        if fixed is not None:
            self._history.agent(reply.name, fixed)
            await self._say(reply, fixed)
        else:
            await self._compose(reply, instruction)
        await self._voice.finish(reply)
        if not reply.sentences:
            self._reply_over()

    async def _compose(self, reply: Reply, instruction: str | None) -> None:
        for _ in range(MAX_TOOL_ROUNDS):
            tools = () if self._course.forced else BUILT_IN_TOOLS
            speaker = _ReplySpeaker(self._talk, partial(self._say, reply))
            text, requests = await stream_reply(self._model, self._history.messages(instruction), tools, speaker)
            if text:
                self._history.agent(reply.name, text)
            if not requests:
                return
            outcome = run_tools(self._talk, requests, spoke=bool(reply.sentences))
            self._history.tools(requests, outcome.results)
            if outcome.ends:
                self._turns.passage = Passage.FAREWELL
                self._course.end_after_farewell(EndReason.AGENT_END_CALL, self._talk.clock.now())
            if not outcome.respond:
                return

    async def _say(self, reply: Reply, sentence: str) -> None:
        self._talk.transcript.agent_text(reply.name, f"{sentence} ")
        await self._voice.say(reply, sentence)

    async def _silence_agent(self) -> None:
        cuts = self._talk.line.interrupt()
        reply = self._voice.reply
        await self._voice.silence()
        if reply is not None and all(cut.utterance != reply.name for cut in cuts):
            self._history.heard(reply.name, "")
        self._note_cuts(cuts)

    def _reply_over(self) -> None:
        self._voice.reply = None
        command = self._turns.reply_over(self._talk.clock.now())
        if isinstance(command, Answer):
            self._answer(command)
        elif isinstance(command, Aside):
            self._write_down(command)
        self._alarm.ring()

    def _note_cuts(self, cuts: tuple[Cut, ...]) -> None:
        now = self._talk.clock.now()
        for cut in cuts:
            heard = self._talk.transcript.agent_cut(
                cut.utterance, now, heard_ms=cut.heard_ms, received_ms=cut.received_ms, complete=cut.complete
            )
            self._history.heard(cut.utterance, heard)


class _ReplySpeaker:
    """Takes what the model says for one reply; keeps the `Speaker` promise."""

    def __init__(self, talk: Conversation, say: Callable[[str], Awaitable[None]]) -> None:
        self._talk = talk
        self._say = say

    async def say(self, sentence: str) -> None:
        """Speak a complete sentence."""
        await self._say(sentence)

    def token(self) -> None:
        """Note the first token."""
        self._talk.latency.reached("first_token", self._talk.clock.now())
