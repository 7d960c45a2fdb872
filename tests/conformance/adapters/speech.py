"""Deepgram's adapters under test, with everything they yield written down."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from deploy.simulator.process import World
from deploy.simulator.settings import DEFAULT_DEEPGRAM_KEY
from deploy.simulator.voice import silence, speak
from media.errors import ProviderError
from media.ports import FRAME_BYTES, Heard, SpeechEnded, SttEvent
from media.stt.deepgram import DeepgramSpeechToText
from media.tts.deepgram import DeepgramTextToSpeech
from tests.conformance.adapters.signals import Changes


def recogniser(
    base_url: str, *, api_key: str = DEFAULT_DEEPGRAM_KEY, model: str = "nova-3", probe_s: float = 4.0
) -> DeepgramSpeechToText:
    """A recogniser of one call."""
    return DeepgramSpeechToText(
        base_url=base_url, api_key=api_key, model=model, language="en", endpointing_ms=300, probe_s=probe_s
    )


def voice(
    base_url: str, *, api_key: str = DEFAULT_DEEPGRAM_KEY, model: str = "aura-2-thalia-en", answer_s: float = 8.0
) -> DeepgramTextToSpeech:
    """A voice of one call."""
    return DeepgramTextToSpeech(base_url=base_url, api_key=api_key, voice=model, answer_s=answer_s)


def send(stt: DeepgramSpeechToText, sound: bytes) -> None:
    """Send sound frame by frame."""
    for at in range(0, len(sound), FRAME_BYTES):
        stt.send_audio(sound[at : at + FRAME_BYTES])


def says(stt: DeepgramSpeechToText, text: str, *, quiet_ms: int = 1500) -> None:
    """Speak, then be quiet."""
    send(stt, speak(text) + silence(quiet_ms))


class Transcript(Changes):
    """What one recogniser yielded, and how it failed."""

    def __init__(self, stt: DeepgramSpeechToText) -> None:
        super().__init__()
        self.stt = stt
        self.events: list[SttEvent] = []
        self.fault: ProviderError | None = None
        self.is_over = False

    async def turns(self, count: int) -> list[str]:
        """Wait for so many ended turns and give the words of each."""
        await self.until(lambda: self.events.count(SpeechEnded()) >= count or self.is_over)
        turns, words = [], []
        for event in self.events:
            if isinstance(event, Heard) and event.final:
                words.append(event.text)
            elif isinstance(event, SpeechEnded):
                turns.append(" ".join(words))
                words = []
        return turns

    async def write_down(self) -> None:
        try:
            async for event in self.stt.events():
                self.events.append(event)
                self.tell()
        except ProviderError as fault:
            self.fault = fault
        finally:
            self.is_over = True
            self.tell()


@asynccontextmanager
async def transcribing(world: World, *, probe_s: float = 4.0) -> AsyncIterator[Transcript]:
    """Open a recogniser and listen to it; at the end it closes without complaint."""
    stt = recogniser(world.deepgram_url, probe_s=probe_s)
    await stt.open()
    transcript = Transcript(stt)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(transcript.write_down())
        try:
            yield transcript
        finally:
            await stt.close()


class Speech(Changes):
    """What one voice yielded: the sound of each utterance, the last one unfinished."""

    def __init__(self, tts: DeepgramTextToSpeech) -> None:
        super().__init__()
        self.tts = tts
        self.utterances = [bytearray()]
        self.fault: ProviderError | None = None
        self.is_over = False

    async def finished(self, count: int) -> list[bytes]:
        """Wait for so many finished utterances."""
        await self.until(lambda: len(self.utterances) > count or self.is_over)
        return [bytes(each) for each in self.utterances[:-1]]

    async def sounding(self) -> None:
        """Wait until the current utterance can be heard."""
        await self.until(lambda: bool(self.utterances[-1]) or self.is_over)

    async def write_down(self) -> None:
        try:
            async for piece in self.tts.audio():
                if piece is None:
                    self.utterances.append(bytearray())
                else:
                    self.utterances[-1] += piece
                self.tell()
        except ProviderError as fault:
            self.fault = fault
        finally:
            self.is_over = True
            self.tell()


@asynccontextmanager
async def speaking(world: World, *, answer_s: float = 8.0) -> AsyncIterator[Speech]:
    """Open a voice and listen to it; at the end it closes without complaint."""
    tts = voice(world.deepgram_url, answer_s=answer_s)
    await tts.open()
    speech = Speech(tts)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(speech.write_down())
        try:
            yield speech
        finally:
            await tts.close()
