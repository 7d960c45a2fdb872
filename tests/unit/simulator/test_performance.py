"""People act out their scripts to what they hear, exactly to the frame."""

from dataclasses import dataclass, field

from deploy.simulator import mulaw
from deploy.simulator.callees import read_callees
from deploy.simulator.performance import Performance
from deploy.simulator.voice import decode_mulaw, silence, speak


@dataclass
class Outing:
    """A performance driven by what the agent says."""

    script: str
    person: str = ""
    mouth: bytes = b""
    digits: str = ""
    hung_up_ms: int | None = None
    performance: Performance = field(init=False)

    def __post_init__(self) -> None:
        callees = read_callees(f"people: {{eve: {{{self.person} script: {self.script}}}}}")
        self.performance = Performance(callees.people["eve"])

    def hear(self, sound: bytes) -> "Outing":
        """Let the agent sound, 20 ms at a time, until the person hangs up."""
        sound += silence(20)[: -len(sound) % mulaw.FRAME_BYTES]
        for at in range(0, len(sound), mulaw.FRAME_BYTES):
            if self.hung_up_ms is None:
                tick = self.performance.tick(sound[at : at + mulaw.FRAME_BYTES])
                self.mouth += tick.frame or mulaw.SILENCE_FRAME
                self.digits += tick.digits
                if tick.hangs_up:
                    self.hung_up_ms = self.performance.at_ms
        return self


def test_a_line_at_a_time_and_a_line_after_the_agent_paused() -> None:
    outing = Outing("[{after_s: 0.5, say: hello}, {after_agent_ms: 300, say: fine}]").hear(silence(1000))
    assert decode_mulaw(outing.mouth) == "hello"
    outing.hear(speak("how are you") + silence(280))
    assert decode_mulaw(outing.mouth) == "hello"
    outing.hear(silence(400))
    assert decode_mulaw(outing.mouth) == "hello fine"
    assert outing.performance.ear.text == "how are you"


def test_a_person_may_talk_over_the_agent() -> None:
    outing = Outing("[{agent_speaking_ms: 400, say: wait}]").hear(speak("this is a very long sentence"))
    assert outing.performance.said[0].at_ms == 400
    assert decode_mulaw(outing.mouth) == "wait"


def test_a_cut_line_ends_with_the_call_and_tells_what_was_spoken() -> None:
    outing = Outing("[{after_s: 0, say: i am going, cut_after_ms: 300, hang_up: true}]").hear(silence(1000))
    assert outing.hung_up_ms == 300
    assert [(said.text, said.spoken) for said in outing.performance.said] == [("i am going", "i am ")]


def test_digits_are_pressed_when_the_right_words_were_heard() -> None:
    outing = Outing("[{when_heard: press one, dtmf: '1'}]").hear(speak("to go on, press o"))
    assert outing.digits == ""
    assert outing.hear(speak("ne") + silence(40)).digits == "1"


def test_an_answer_is_chosen_by_what_the_agent_said() -> None:
    script = "[{say: fine, answers: {your name: it is eve}}]"
    assert decode_mulaw(Outing(script).hear(speak("your name?") + silence(1500)).mouth) == "it is eve"
    assert decode_mulaw(Outing(script).hear(speak("all well?") + silence(1500)).mouth) == "fine"


def test_a_greeting_is_passed_over_when_the_agent_was_first() -> None:
    script = "[{after_s: 1, unless_agent_spoke: true, say: hello}, {say: fine}]"
    assert decode_mulaw(Outing(script).hear(speak("good day") + silence(1500)).mouth) == "fine"
    assert decode_mulaw(Outing(script).hear(silence(1500)).mouth) == "hello"


def test_a_machine_beeps_and_records_until_the_agent_is_silent() -> None:
    script = "[{after_s: 0, say: after the tone}, {later_s: 0, beep: true}, {agent_silent_ms: 500, hang_up: true}]"
    outing = Outing(script).hear(silence(1600))
    assert outing.hung_up_ms is None
    outing.hear(speak("my message") + silence(1000))
    assert outing.hung_up_ms is not None


def test_patience_ends_a_call_in_which_nothing_happens() -> None:
    outing = Outing("[]", "patience_s: 1,").hear(silence(600) + speak("hi") + silence(3000))
    assert outing.hung_up_ms is not None
    assert 1700 <= outing.hung_up_ms <= 1800
