"""From dialling to the answer: every way a call can fail to become a conversation leaves one true record."""

import asyncio

import pytest

from media.deadlines import RING_GRACE_S, STREAM_S
from media.errors import CarrierRefusal, CarrierUnreachable, DialUnknown, ProviderError
from media.ports import CarrierAnswered, CarrierMachineResult
from schema.outcomes import AnsweredBy, EndReason, Outcome
from schema.states import CallPhase
from tests.unit.media.fakes import FakeCarrier
from tests.unit.media.stage import FakeHost, RealtimeStage, Stage, a_spec, hold_realtime


async def nothing_happens(stage: Stage) -> None:
    await stage.until(0.0)


def test_the_dial_request_says_all_the_carrier_must_know() -> None:
    async def script(stage: RealtimeStage) -> None:
        await stage.until(1.0)
        stage.ends(Outcome.BUSY)

    _, stage = hold_realtime(script, spec=a_spec(hold_s=300, ring_timeout=45))
    (request,) = stage.carrier.dialled
    assert (request.to, request.from_) == ("+14155550100", "+14155550199")
    assert request.stream_url == "wss://worker/streams/token"
    assert request.ring_timeout_s == 45
    assert request.time_limit_s == 305
    assert request.detect_machine


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (Outcome.BUSY, EndReason.DIAL_BUSY),
        (Outcome.NO_ANSWER, EndReason.DIAL_NO_ANSWER),
        (Outcome.REJECTED, EndReason.DIAL_REJECTED),
        (Outcome.INVALID_NUMBER, EndReason.DIAL_INVALID_NUMBER),
        (Outcome.FAILED, EndReason.DIAL_FAILED),
    ],
)
def test_the_carriers_result_of_ringing_is_the_outcome(result: Outcome, reason: EndReason) -> None:
    async def script(stage: RealtimeStage) -> None:
        await stage.until(1.0)
        await stage.ring()
        await stage.until(9.0)
        stage.ends(result)

    record, stage = hold_realtime(script)
    assert (record.outcome, record.end_reason) == (result, reason)
    assert record.talked_s == 0
    assert record.answered_at is None
    assert record.answered_by is None
    assert record.provider_call_id == "CA1"
    assert stage.carrier.hung_up_at == []
    assert stage.model.closed == 1


def test_a_refused_dial_is_recorded_with_the_carriers_reason() -> None:
    refusal = CarrierRefusal("HTTP 429", EndReason.CARRIER_REFUSED, Outcome.CARRIER_REFUSED, 429)
    record, stage = hold_realtime(nothing_happens, carrier=FakeCarrier(dial_error=refusal))
    assert (record.outcome, record.end_reason) == (Outcome.CARRIER_REFUSED, EndReason.CARRIER_REFUSED)
    assert record.error_message == "HTTP 429"
    assert record.provider_call_id is None
    assert stage.lasted_s < 1.0


def test_a_refused_number_is_permanent() -> None:
    refusal = CarrierRefusal("21211", EndReason.DIAL_INVALID_NUMBER, Outcome.INVALID_NUMBER, 400)
    record, _ = hold_realtime(nothing_happens, carrier=FakeCarrier(dial_error=refusal))
    assert (record.outcome, record.end_reason) == (Outcome.INVALID_NUMBER, EndReason.DIAL_INVALID_NUMBER)


def test_a_carrier_that_cannot_be_reached_spends_no_attempt() -> None:
    error = CarrierUnreachable("connection refused")
    record, _ = hold_realtime(nothing_happens, carrier=FakeCarrier(dial_error=error))
    assert (record.outcome, record.end_reason) == (Outcome.CARRIER_REFUSED, EndReason.CARRIER_UNREACHABLE)


def test_an_unknown_dial_is_waited_for_and_ends_ambiguous_when_nothing_comes() -> None:
    carrier = FakeCarrier(dial_error=DialUnknown("timed out"))
    record, stage = hold_realtime(nothing_happens, spec=a_spec(ring_timeout=30), carrier=carrier)
    assert (record.outcome, record.end_reason) == (Outcome.AMBIGUOUS, EndReason.CARRIER_UNKNOWN)
    assert 30 + RING_GRACE_S <= stage.lasted_s < 45
    assert len(carrier.dialled) == 1
    assert carrier.hung_up_at == []


def test_an_unknown_dial_whose_call_lives_is_a_call() -> None:
    async def script(stage: RealtimeStage) -> None:
        await stage.answer()
        await stage.until(6.0)
        await stage.says("c1", "Yes?")
        stage.hang_up()

    record, stage = hold_realtime(script, carrier=FakeCarrier(dial_error=DialUnknown("timed out")))
    assert (record.outcome, record.end_reason) == (Outcome.HUMAN, EndReason.USER_HANGUP)
    assert record.provider_call_id == stage.leg.provider_call_id
    assert stage.leg.closed


def test_an_unknown_dial_whose_result_comes_by_callback_is_that_result() -> None:
    async def script(stage: RealtimeStage) -> None:
        await stage.until(12.0)
        stage.ends(Outcome.NO_ANSWER)

    record, _ = hold_realtime(script, carrier=FakeCarrier(dial_error=DialUnknown("timed out")))
    assert (record.outcome, record.end_reason) == (Outcome.NO_ANSWER, EndReason.DIAL_NO_ANSWER)


def test_an_unknown_dial_that_rang_out_is_no_answer() -> None:
    async def script(stage: RealtimeStage) -> None:
        await stage.until(2.0)
        await stage.ring()

    record, _ = hold_realtime(script, carrier=FakeCarrier(dial_error=DialUnknown("timed out")))
    assert (record.outcome, record.end_reason) == (Outcome.NO_ANSWER, EndReason.DIAL_NO_ANSWER)


def test_a_machine_reported_before_the_answer_is_an_answer() -> None:
    async def script(stage: RealtimeStage) -> None:
        await stage.until(2.0)
        stage.inbox.carrier_event(CarrierMachineResult(AnsweredBy.VOICEMAIL))

    record, stage = hold_realtime(script)
    assert (record.outcome, record.end_reason) == (Outcome.VOICEMAIL, EndReason.VOICEMAIL_HANGUP)
    assert len(stage.carrier.hung_up_at) == 1


def test_ringing_ends_when_the_carrier_never_reports() -> None:
    async def script(stage: RealtimeStage) -> None:
        await stage.until(1.0)
        await stage.ring()

    record, stage = hold_realtime(script, spec=a_spec(ring_timeout=30))
    assert (record.outcome, record.end_reason) == (Outcome.NO_ANSWER, EndReason.DIAL_NO_ANSWER)
    assert len(stage.carrier.hung_up_at) == 1


def test_an_answer_without_a_media_socket_is_the_carriers_fault() -> None:
    async def script(stage: RealtimeStage) -> None:
        await stage.until(2.0)
        stage.inbox.carrier_event(CarrierAnswered())

    record, stage = hold_realtime(script)
    assert (record.outcome, record.end_reason) == (Outcome.FAILED, EndReason.CARRIER_NO_STREAM)
    assert stage.carrier.hung_up_at == [pytest.approx(1002.0 + STREAM_S, abs=0.1)]
    assert record.answered_at is not None


def test_a_callee_who_hangs_up_before_the_media_socket_came_has_hung_up() -> None:
    async def script(stage: RealtimeStage) -> None:
        await stage.until(2.0)
        stage.inbox.carrier_event(CarrierAnswered())
        await stage.until(2.5)
        stage.ends()

    record, _ = hold_realtime(script)
    assert (record.outcome, record.end_reason) == (Outcome.NO_SPEECH, EndReason.USER_HANGUP)
    assert record.talked_s == pytest.approx(0.5)


def test_without_enough_lease_the_carrier_is_never_asked() -> None:
    record, stage = hold_realtime(nothing_happens, host=FakeHost(may_dial=False))
    assert (record.outcome, record.end_reason) == (Outcome.CARRIER_REFUSED, EndReason.NEVER_TAKEN)
    assert stage.carrier.dialled == []


def test_a_stop_before_the_dial_request_leaves_prevents_it() -> None:
    record, stage = hold_realtime(nothing_happens, set_up=lambda stage: stage.inbox.stop(EndReason.API_CANCEL))
    assert (record.outcome, record.end_reason) == (Outcome.CANCELLED, EndReason.API_CANCEL)
    assert stage.carrier.dialled == []


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [
        (EndReason.API_STOP, Outcome.CANCELLED),
        (EndReason.CAMPAIGN_STOPPED, Outcome.CANCELLED),
        (EndReason.WORKER_SHUTDOWN, Outcome.FAILED),
        (EndReason.WORKER_LOST, Outcome.FAILED),
    ],
)
def test_a_stop_while_ringing_hangs_up_at_the_carrier(reason: EndReason, outcome: Outcome) -> None:
    async def script(stage: RealtimeStage) -> None:
        await stage.until(2.0)
        stage.inbox.stop(reason)

    record, stage = hold_realtime(script)
    assert (record.outcome, record.end_reason) == (outcome, reason)
    assert stage.carrier.hung_up_at == [1002.0]


def test_a_stop_while_the_dial_request_is_out_waits_for_it_and_hangs_up() -> None:
    async def script(stage: RealtimeStage) -> None:
        await stage.until(0.1)
        stage.inbox.stop(EndReason.API_STOP)

    record, stage = hold_realtime(script, carrier=FakeCarrier(dial_takes_s=4.0))
    assert record.end_reason is EndReason.API_STOP
    assert record.provider_call_id == "CA1"
    assert stage.carrier.hung_up_at == [1004.0]


def test_a_provider_that_fails_while_it_rings_ends_the_call_by_name() -> None:
    def broken(stage: RealtimeStage) -> None:
        stage.model.open_error = ProviderError("openai", "invalid key", EndReason.PROVIDER_AUTH)

    async def script(stage: RealtimeStage) -> None:
        await stage.until(0.1)
        await stage.ring()

    record, stage = hold_realtime(script, set_up=broken)
    assert (record.outcome, record.end_reason) == (Outcome.FAILED, EndReason.PROVIDER_AUTH)
    assert record.error_message == "openai: invalid key"
    assert len(stage.carrier.hung_up_at) == 1
    assert stage.model.closed == 1


def test_a_provider_lost_after_opening_while_it_rings_ends_the_call() -> None:
    async def script(stage: RealtimeStage) -> None:
        await stage.until(1.0)
        await stage.ring()
        await stage.until(5.0)
        stage.model.tape.emit(ProviderError("openai", "closed with 1011", EndReason.PROVIDER_CLOSED))

    record, _ = hold_realtime(script)
    assert (record.outcome, record.end_reason) == (Outcome.FAILED, EndReason.PROVIDER_CLOSED)


def test_progress_is_reported_once_per_phase_however_the_carrier_stutters() -> None:
    async def script(stage: RealtimeStage) -> None:
        await stage.answer()
        stage.inbox.carrier_event(CarrierAnswered())
        await stage.ring()
        await stage.until(6.0)
        stage.hang_up()
        stage.ends()
        stage.ends()

    record, stage = hold_realtime(script)
    assert stage.host.moves == [
        (CallPhase.DIALING, "CA1", None),
        (CallPhase.RINGING, "CA1", None),
        (CallPhase.ANSWERED, "CA1", None),
    ]
    assert record.end_reason is EndReason.USER_HANGUP


def test_a_media_socket_that_comes_before_everything_else_is_the_answer() -> None:
    async def script(stage: RealtimeStage) -> None:
        await stage.until(0.05)
        stage.inbox.leg_joined(stage.leg)
        await stage.until(5.0)
        stage.hang_up()

    record, stage = hold_realtime(script)
    assert record.talked_s == pytest.approx(4.95)
    assert record.provider_call_id == "CA1"
    assert [phase for phase, _, _ in stage.host.moves] == [CallPhase.ANSWERED, CallPhase.ANSWERED]
    assert record.answered_by is AnsweredBy.UNKNOWN


def test_cancelling_a_session_hangs_up_and_leaves_no_task() -> None:
    async def script(stage: RealtimeStage) -> None:
        await stage.answer()
        await stage.until(5.0)
        assert stage.session is not None
        stage.session.cancel()

    carrier = FakeCarrier()
    with pytest.raises(asyncio.CancelledError):
        hold_realtime(script, carrier=carrier)
    assert carrier.hung_up_at == [pytest.approx(1005.0)]
