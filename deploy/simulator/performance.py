"""A person acting out their script on the telephone, 20 ms at a time; no clock and no I/O of its own.

Each tick takes the frame that sounds in the person's ear and gives the frame that leaves their mouth. Whether the agent
speaks is judged by the voice itself, so office noise under the agent's words is not mistaken for speech.
"""

from dataclasses import dataclass
from typing import Final, assert_never

import numpy as np

from deploy.simulator import mulaw
from deploy.simulator.callees import Person, Step, Trigger
from deploy.simulator.ledger import Said
from deploy.simulator.voice import SYMBOL_MS, Decoder, canonical, silence, speak, text_of

BEEP_HZ: Final = 1000
BEEP_MS: Final = 600
_SENTENCE_PAUSE_MS: Final = 400


@dataclass(frozen=True, slots=True)
class Tick:
    """What the person does in these 20 ms; `frame` is None when nothing sounds."""

    frame: bytes | None = None
    digits: str = ""
    hangs_up: bool = False


_STILL: Final = Tick()
_HANGS_UP: Final = Tick(hangs_up=True)


def beep() -> bytes:
    """Return an answering machine's tone, mu-law."""
    at_s = np.arange(BEEP_MS * mulaw.BYTES_PER_MS) / mulaw.SAMPLE_RATE_HZ
    return mulaw.encode((np.sin(2 * np.pi * BEEP_HZ * at_s) * 10_000).astype(np.int16))


class Performance:
    """One person on one call, from the answer to the end.

    Attributes:
        ear: what was heard so far.
        said: what was said so far.
        at_ms: time since the answer.
    """

    def __init__(self, person: Person) -> None:
        self.ear = Decoder()
        self.said: list[Said] = []
        self.at_ms = 0
        self._person = person
        self._next = 0
        self._mouth = b""
        self._mouth_at = 0
        self._spoken_is_speech = False
        self._hangs_up_after = False
        self._step_ended_ms = 0
        self._symbols_at_step = 0
        self._agent_talk_ms = 0
        self._agent_quiet_ms = 0
        self._agent_spoke = False
        self._stirred_ms = 0

    def tick(self, frame: bytes | None) -> Tick:
        """Live through the next 20 ms, hearing the frame (None is silence)."""
        self.at_ms += mulaw.FRAME_MS
        self._hear(frame)
        if self._mouth:
            return self._go_on()
        step = self._due_step()
        if step is not None:
            return self._begin(step)
        if self.at_ms - self._stirred_ms > self._person.patience_s * 1000:
            return _HANGS_UP
        return _STILL

    def _hear(self, frame: bytes | None) -> None:
        self.ear.feed(mulaw.SILENCE_FRAME if frame is None else frame)
        if self.ear.quiet_ms == 0:
            self._agent_talk_ms += mulaw.FRAME_MS
            self._agent_quiet_ms = 0
            self._agent_spoke = True
            self._stirred_ms = self.at_ms
            return
        self._agent_quiet_ms += mulaw.FRAME_MS
        if self._agent_quiet_ms >= _SENTENCE_PAUSE_MS:
            self._agent_talk_ms = 0

    def _due_step(self) -> Step | None:
        if self._next >= len(self._person.script):
            return None
        step = self._person.script[self._next]
        if not self._is_due(step.trigger):
            return None
        if step.unless_agent_spoke and self._agent_spoke:
            self._next += 1
            return None
        return step

    def _is_due(self, trigger: Trigger) -> bool:
        match trigger.kind:
            case "after_s":
                return self.at_ms >= trigger.value_ms
            case "later_s":
                return self.at_ms - self._step_ended_ms >= trigger.value_ms
            case "after_agent_ms":
                return self._agent_spoke and self._agent_quiet_ms >= trigger.value_ms
            case "agent_speaking_ms":
                return self._agent_talk_ms >= trigger.value_ms
            case "agent_silent_ms":
                return min(self._agent_quiet_ms, self.at_ms - self._step_ended_ms) >= trigger.value_ms
            case "when_heard":
                return trigger.text in self._heard_since_step()
            case _:
                assert_never(trigger.kind)

    def _heard_since_step(self) -> str:
        return text_of(self.ear.symbols[self._symbols_at_step :])

    def _begin(self, step: Step) -> Tick:
        self._next += 1
        self._hangs_up_after = step.hang_up
        line = self._line(step)
        speech = speak(line)
        if step.cut_after_ms is not None:
            speech = speech[: step.cut_after_ms * mulaw.BYTES_PER_MS]
        if line:
            self.said.append(Said(self.at_ms, canonical(line), ""))
        self._spoken_is_speech = bool(line)
        sounds = (beep() if step.beep else b"") + speech
        self._mouth = sounds + silence(mulaw.FRAME_MS)[: -len(sounds) % mulaw.FRAME_BYTES]
        self._mouth_at = 0
        self._stirred_ms = self.at_ms
        if not self._mouth:
            return self._end(step.dtmf, None)
        tick = self._go_on()
        return Tick(tick.frame, step.dtmf, tick.hangs_up)

    def _line(self, step: Step) -> str:
        heard = self._heard_since_step()
        return next((line for key, line in step.answers if key in heard), step.say)

    def _go_on(self) -> Tick:
        frame = self._mouth[self._mouth_at : self._mouth_at + mulaw.FRAME_BYTES]
        self._mouth_at += mulaw.FRAME_BYTES
        self._stirred_ms = self.at_ms
        if self._spoken_is_speech:
            said = self.said[-1]
            symbols = (self._mouth_at // mulaw.BYTES_PER_MS + SYMBOL_MS // 2) // SYMBOL_MS
            said.spoken = said.text[:symbols]
        if self._mouth_at >= len(self._mouth):
            self._mouth = b""
            return self._end("", frame)
        return Tick(frame)

    def _end(self, digits: str, frame: bytes | None) -> Tick:
        self._step_ended_ms = self.at_ms
        self._symbols_at_step = len(self.ear.symbols)
        self._agent_spoke = False
        return Tick(frame, digits, self._hangs_up_after)


class CannedPerformance(Performance):
    """A person for benches: speaks for one second in every four, listens to nothing, never hangs up."""

    CYCLE_FRAMES: Final = 200
    SPEECH_FRAMES: Final = 50
    _SPEECH: Final = speak("the quick brown fox")

    def tick(self, frame: bytes | None) -> Tick:
        """Live through the next 20 ms."""
        del frame
        at = self.at_ms // mulaw.FRAME_MS % self.CYCLE_FRAMES
        self.at_ms += mulaw.FRAME_MS
        if at >= self.SPEECH_FRAMES:
            return _STILL
        return Tick(self._SPEECH[at * mulaw.FRAME_BYTES : (at + 1) * mulaw.FRAME_BYTES])
