"""Whose turn it is when recogniser, model and voice are separate providers. The rules are the table `MOVES`.

    listening ──► callee_speaking ◄──► endpoint_pending ──► thinking ──► speaking ──► listening
                        ▲──────────── words interrupt ──────────┴───────────┘

1. The callee's turn is over when the provider says so, or when this machine's own timer runs out first.
2. While the agent thinks or speaks, acknowledgements change nothing, other words interrupt, stop words do so at once.
3. Voice activity alone interrupts nobody: coughs, echo and noise have no words.
4. A turn without words is no turn.
   An acknowledgement that ends just before the agent does was meant as an answer.
5. What is not in the table is ignored and changes nothing.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from media.conversation.words import Meaning, Passage, meaning_of

FINAL_PATIENCE_S = 1.2
"""How long final words wait for the provider to say that the turn is over."""
PARTIAL_PATIENCE_S = 3.0
"""How long partial words, or voice without words, wait for anything more."""
EARLY_ANSWER_S = 1.0
"""An acknowledgement this shortly before the agent's end answers it."""


class TurnState(StrEnum):
    """Whose turn it is.

    listening: both are quiet; the callee's words or voice move it on.
    callee_speaking: voice or partial words; moved on by final words, the provider's end, or the timer.
    endpoint_pending: final words, maybe more to come; moved on by the provider's end, the timer, or more words.
    thinking: an answer is being made; moved on by its first sound, its end, or the callee going on.
    speaking: the answer is heard; moved on by its end or an interruption.
    """

    LISTENING = "listening"
    CALLEE_SPEAKING = "callee_speaking"
    ENDPOINT_PENDING = "endpoint_pending"
    THINKING = "thinking"
    SPEAKING = "speaking"


class Cue(StrEnum):
    """What can happen, as the table sees it."""

    VOICE = "voice"
    PARTIAL = "partial"
    FINAL = "final"
    INTERRUPTING_PARTIAL = "interrupting_partial"
    INTERRUPTING_FINAL = "interrupting_final"
    TURN_ENDED = "turn_ended"
    SILENT_TURN_ENDED = "silent_turn_ended"
    REPLY_HEARD = "reply_heard"
    REPLY_OVER = "reply_over"


class Act(StrEnum):
    """What the machine wants done: nothing, answer the callee, or silence the agent."""

    NOTHING = "nothing"
    ANSWER = "answer"
    INTERRUPT = "interrupt"


class Timer(StrEnum):
    """What happens to the end-of-turn timer."""

    OFF = "off"
    SHORT = "short"
    LONG = "long"


L, C, E, T, S = TurnState

MOVES: dict[tuple[TurnState, Cue], tuple[TurnState, Act, Timer]] = {
    (L, Cue.VOICE): (C, Act.NOTHING, Timer.LONG),
    (L, Cue.PARTIAL): (C, Act.NOTHING, Timer.LONG),
    (L, Cue.FINAL): (E, Act.NOTHING, Timer.SHORT),
    (C, Cue.PARTIAL): (C, Act.NOTHING, Timer.LONG),
    (C, Cue.FINAL): (E, Act.NOTHING, Timer.SHORT),
    (C, Cue.TURN_ENDED): (T, Act.ANSWER, Timer.OFF),
    (C, Cue.SILENT_TURN_ENDED): (L, Act.NOTHING, Timer.OFF),
    (E, Cue.PARTIAL): (C, Act.NOTHING, Timer.LONG),
    (E, Cue.FINAL): (E, Act.NOTHING, Timer.SHORT),
    (E, Cue.TURN_ENDED): (T, Act.ANSWER, Timer.OFF),
    (T, Cue.INTERRUPTING_PARTIAL): (C, Act.INTERRUPT, Timer.LONG),
    (T, Cue.INTERRUPTING_FINAL): (E, Act.INTERRUPT, Timer.SHORT),
    (T, Cue.REPLY_HEARD): (S, Act.NOTHING, Timer.OFF),
    (T, Cue.REPLY_OVER): (L, Act.NOTHING, Timer.OFF),
    (S, Cue.INTERRUPTING_PARTIAL): (C, Act.INTERRUPT, Timer.LONG),
    (S, Cue.INTERRUPTING_FINAL): (E, Act.INTERRUPT, Timer.SHORT),
    (S, Cue.REPLY_OVER): (L, Act.NOTHING, Timer.OFF),
}

_PATIENCE_S = {Timer.SHORT: FINAL_PATIENCE_S, Timer.LONG: PARTIAL_PATIENCE_S}


@dataclass(frozen=True, slots=True)
class Answer:
    """The callee's turn is over; answer it. Instants are monotonic seconds; `noted` when it was an `Aside` before."""

    text: str
    began_at: float
    ended_at: float
    noted: bool = False


@dataclass(frozen=True, slots=True)
class Interrupt:
    """The callee took the floor: silence the agent now."""


@dataclass(frozen=True, slots=True)
class Aside:
    """The callee said something that needs no answer."""

    text: str
    began_at: float
    ended_at: float


Command = Answer | Interrupt | Aside


class TurnMachine:
    """One call's turns.

    Attributes:
        state: whose turn it is.
        deadline: when `timer` wants to be called, or None.
        passage: which part of the call the agent's words belong to.
    """

    def __init__(self) -> None:
        self.state = TurnState.LISTENING
        self.deadline: float | None = None
        self.passage = Passage.OPENING
        self._finals: list[str] = []
        self._partial = ""
        self._began_at: float | None = None
        self._last_words_at = 0.0
        self._aside: Answer | None = None

    @property
    def agent_has_floor(self) -> bool:
        """Whether the agent thinks or speaks."""
        return self.state in (TurnState.THINKING, TurnState.SPEAKING)

    def speech_started(self, now: float) -> Command | None:
        """The recogniser heard a voice."""
        if self._began_at is None:
            self._began_at = now
        return self._move(Cue.VOICE, now)

    def heard(self, text: str, *, final: bool, now: float) -> Command | None:
        """The recogniser understood words: the whole current segment, not only what is new."""
        if not text.strip():
            return None
        if self._began_at is None:
            self._began_at = now
        if text != self._partial:
            self._last_words_at = now
        if final:
            self._finals.append(text.strip())
        self._partial = "" if final else text
        if not self.agent_has_floor:
            return self._move(Cue.FINAL if final else Cue.PARTIAL, now)
        meaning = meaning_of(self._text, final=final, passage=self.passage)
        if meaning in (Meaning.SPEECH, Meaning.STOP):
            return self._move(Cue.INTERRUPTING_FINAL if final else Cue.INTERRUPTING_PARTIAL, now)
        return None

    def speech_ended(self, now: float) -> Command | None:
        """The recogniser takes the turn as over."""
        if self.agent_has_floor:
            self._aside = self.take_words()
            aside = self._aside
            return Aside(aside.text, aside.began_at, aside.ended_at) if aside is not None else None
        return self._move(Cue.TURN_ENDED if self._text else Cue.SILENT_TURN_ENDED, now)

    def timer(self, now: float) -> Command | None:
        """Check the end-of-turn timer; partial words count as the turn's words when it runs out."""
        if self.deadline is None or now < self.deadline:
            return None
        return self.speech_ended(now)

    def reply_begins(self) -> None:
        """The agent takes the floor of its own accord: a greeting, a prompt, a goodbye."""
        self.state, self.deadline, self._aside = TurnState.THINKING, None, None

    def reply_heard(self, now: float) -> None:
        """The first sound of the reply is on the wire."""
        self._move(Cue.REPLY_HEARD, now)

    def reply_over(self, now: float) -> Command | None:
        """The reply was heard to its end, or there is none."""
        if not self.agent_has_floor:
            return None
        aside, self._aside = self._aside, None
        self._move(Cue.REPLY_OVER, now)
        if self.passage is Passage.FAREWELL:
            said = self.take_words()
            return Aside(said.text, said.began_at, said.ended_at) if said is not None else None
        self.passage = Passage.MIDDLE
        if self._text:
            return self._move(Cue.FINAL, now)
        if aside is not None and now - aside.ended_at <= EARLY_ANSWER_S:
            self.state = TurnState.THINKING
            return replace(aside, noted=True)
        return None

    def take_words(self) -> Answer | None:
        """Take what the callee said so far and was not answered, or None."""
        if not self._text:
            self._forget()
            return None
        began_at = self._began_at if self._began_at is not None else self._last_words_at
        taken = Answer(self._text, began_at, max(began_at, self._last_words_at))
        self._forget()
        return taken

    @property
    def _text(self) -> str:
        return " ".join([*self._finals, self._partial.strip()]).strip()

    def _move(self, cue: Cue, now: float) -> Command | None:
        move = MOVES.get((self.state, cue))
        if move is None:
            return None
        self.state, act, timer = move
        self._aside = None if act is not Act.NOTHING else self._aside
        self.deadline = now + _PATIENCE_S[timer] if timer in _PATIENCE_S else None
        if act is Act.INTERRUPT:
            return Interrupt()
        if act is Act.ANSWER:
            return self.take_words()
        if cue is Cue.SILENT_TURN_ENDED:
            self._forget()
        return None

    def _forget(self) -> None:
        self._finals = []
        self._partial = ""
        self._began_at = None
