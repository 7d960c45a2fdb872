"""Choose and build a call's providers and the worker's carrier: the only file that names vendors."""

from media.carriers.twilio.carrier import TwilioCarrier
from media.conversation.prompts import system_prompt
from media.conversation.tools import BUILT_IN_TOOLS
from media.llm.chat import ChatModel
from media.pipelines.cascade import CascadePipeline
from media.pipelines.pipeline import Pipeline
from media.pipelines.realtime import RealtimePipeline
from media.ports import Carrier
from media.providers import CarrierSettings, ProviderSettings
from media.realtime.openai import OpenAIRealtime
from media.stt.deepgram import DeepgramSpeechToText
from media.tts.deepgram import DeepgramTextToSpeech
from schema.call_config import DEFAULT_AURA_VOICE, Mode
from schema.callspec import CallSpec

DEFAULT_REALTIME_VOICE = "alloy"
ENDPOINTING_MS = 300
"""Silence after which the recogniser takes a turn as over; long enough for a breath, short enough for a dialogue."""


def build_pipeline(spec: CallSpec, providers: ProviderSettings) -> Pipeline:
    """Build the agent a call asks for; nothing is connected yet."""
    return _realtime(spec, providers) if spec.config.mode is Mode.REALTIME else _cascade(spec, providers)


async def build_carrier(settings: CarrierSettings) -> Carrier:
    """Build the worker's carrier on the running loop."""
    return TwilioCarrier(
        base_url=settings.twilio_base_url,
        account_sid=settings.twilio_account_sid,
        auth_token=settings.twilio_auth_token,
    )


def _realtime(spec: CallSpec, providers: ProviderSettings) -> Pipeline:
    config = spec.config
    model = OpenAIRealtime(
        base_url=providers.openai_base_url,
        api_key=providers.openai_api_key,
        model=config.model or providers.openai_realtime_model,
        voice=config.voice or DEFAULT_REALTIME_VOICE,
        temperature=config.temperature,
        instructions=system_prompt(config, spec.lead_context),
        tools=BUILT_IN_TOOLS,
        transcribe_model=providers.transcribe_model,
    )
    return RealtimePipeline(model, first_sentence=config.first_sentence, silence_s=config.inactivity_timeout)


def _cascade(spec: CallSpec, providers: ProviderSettings) -> Pipeline:
    config = spec.config
    return CascadePipeline(
        DeepgramSpeechToText(
            base_url=providers.deepgram_base_url,
            api_key=providers.deepgram_api_key,
            model=config.stt_model,
            language=config.stt_language,
            endpointing_ms=ENDPOINTING_MS,
        ),
        ChatModel(
            base_url=providers.openai_base_url,
            api_key=providers.openai_api_key,
            model=config.model or providers.openai_chat_model,
            temperature=config.temperature,
            first_token_timeout_s=providers.first_token_timeout_s,
        ),
        DeepgramTextToSpeech(
            base_url=providers.deepgram_base_url,
            api_key=providers.deepgram_api_key,
            voice=config.tts_model or config.voice or DEFAULT_AURA_VOICE,
        ),
        system_prompt=system_prompt(config, spec.lead_context),
        first_sentence=config.first_sentence,
        silence_s=config.inactivity_timeout,
    )
