"""The joints of one live call: what a carrier, a speech provider and a pipeline promise each other.

Per vendor there is a codec without I/O and a thin shell that keeps one of these promises; `pipelines/build.py` alone
names vendors. Audio everywhere here is mono mu-law, 8000 Hz; a frame is 20 ms = 160 bytes.
"""

from media.ports.audio import BYTES_PER_MS, FRAME_BYTES, FRAME_MS
from media.ports.carrier import (
    Carrier,
    CarrierAnswered,
    CarrierCall,
    CarrierEnded,
    CarrierEvent,
    CarrierMachineResult,
    CarrierRinging,
    DialRequest,
    Leg,
    LegSink,
)
from media.ports.language import LanguageModel, Message, ReplyEvent, TextDelta, ToolRequest, ToolSpec
from media.ports.realtime import (
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
)
from media.ports.speech_to_text import Heard, SpeechEnded, SpeechStarted, SpeechToText, SttEvent
from media.ports.text_to_speech import TextToSpeech

__all__ = [
    "BYTES_PER_MS",
    "FRAME_BYTES",
    "FRAME_MS",
    "Carrier",
    "CarrierAnswered",
    "CarrierCall",
    "CarrierEnded",
    "CarrierEvent",
    "CarrierMachineResult",
    "CarrierRinging",
    "DialRequest",
    "Heard",
    "LanguageModel",
    "Leg",
    "LegSink",
    "Message",
    "RealtimeModel",
    "ReplyEvent",
    "RtAgentText",
    "RtAudio",
    "RtCalleeText",
    "RtCommitted",
    "RtEvent",
    "RtItemDone",
    "RtResponseDone",
    "RtSpeechStarted",
    "RtSpeechStopped",
    "SpeechEnded",
    "SpeechStarted",
    "SpeechToText",
    "SttEvent",
    "TextDelta",
    "TextToSpeech",
    "ToolRequest",
    "ToolSpec",
]
