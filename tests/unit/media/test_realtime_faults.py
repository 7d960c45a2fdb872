"""Realtime calls and how they break: providers, media sockets, machines, shutdowns. Each leaves one true record."""

import pytest

from media.conversation.prompts import GO_ON
from media.errors import CarrierUnreachable, ProviderError
from media.ports import CarrierCall, CarrierMachineResult, DialRequest, RtResponseDone
from schema.outcomes import AnsweredBy, EndReason, Outcome
from tests.unit.media.fakes import FakeCarrier
from tests.unit.media.stage import RealtimeStage, a_spec, hold_realtime


def test_a_failed_response_is_asked_for_again_and_the_second_failure_ends_the_call() -> None:
    async def script(stage: RealtimeStage) -> None:
        await stage.answer()
        await stage.until(6.0)
        await stage.says("c1", "Hello?")
        stage.model.tape.emit(RtResponseDone("failed", (), "server_error"))
        await stage.pass_s(0.5)
        assert stage.model.asked == [GO_ON]
        stage.model.tape.emit(RtResponseDone("failed", (), "server_error"))

    record, _ = hold_realtime(script)
    assert (record.outcome, record.end_reason) == (Outcome.FAILED, EndReason.PROVIDER_ERROR)
    assert "server_error" in str(record.error_message)


@pytest.mark.parametrize("reason", [EndReason.PROVIDER_CLOSED, EndReason.PROVIDER_TIMEOUT])
def test_a_provider_lost_in_the_conversation_ends_it_by_name(reason: EndReason) -> None:
    async def script(stage: RealtimeStage) -> None:
        await stage.answer()
        await stage.until(6.0)
        await stage.says("c1", "Hello?")
        stage.model.tape.emit(ProviderError("openai", "gone", reason))

    record, stage = hold_realtime(script)
    assert (record.outcome, record.end_reason) == (Outcome.FAILED, reason)
    assert record.error_message == "openai: gone"
    assert record.turns[-1].text == "Hello?"
    assert len(stage.carrier.hung_up_at) == 1


def test_a_provider_that_just_stops_is_a_fault_too() -> None:
    async def script(stage: RealtimeStage) -> None:
        await stage.answer()
        stage.model.tape.emit(None)

    record, _ = hold_realtime(script)
    assert (record.outcome, record.end_reason) == (Outcome.FAILED, EndReason.PROVIDER_CLOSED)


def test_a_machine_is_hung_up_on() -> None:
    async def script(stage: RealtimeStage) -> None:
        await stage.answer()
        await stage.until(5.5)
        stage.inbox.carrier_event(CarrierMachineResult(AnsweredBy.VOICEMAIL))

    record, stage = hold_realtime(script)
    assert (record.outcome, record.end_reason) == (Outcome.VOICEMAIL, EndReason.VOICEMAIL_HANGUP)
    assert record.answered_by is AnsweredBy.VOICEMAIL
    assert record.talked_s == pytest.approx(2.5)
    assert record.turns[0].interrupted is False
    assert stage.host.moves[-1][2] is AnsweredBy.VOICEMAIL


def test_a_machine_may_be_talked_to_when_the_call_says_so() -> None:
    async def script(stage: RealtimeStage) -> None:
        await stage.answer()
        stage.inbox.carrier_event(CarrierMachineResult(AnsweredBy.VOICEMAIL))
        await stage.until(8.0)
        stage.hang_up()

    spec = a_spec(voicemail={"detect": "amd", "action": "continue"})
    record, _ = hold_realtime(script, spec=spec)
    assert (record.outcome, record.end_reason) == (Outcome.VOICEMAIL, EndReason.USER_HANGUP)


def test_a_person_whom_the_carrier_recognised_counts_though_silent() -> None:
    async def script(stage: RealtimeStage) -> None:
        await stage.answer()
        stage.inbox.carrier_event(CarrierMachineResult(AnsweredBy.HUMAN))
        await stage.until(8.0)
        stage.hang_up()

    record, _ = hold_realtime(script)
    assert (record.outcome, record.answered_by) == (Outcome.HUMAN, AnsweredBy.HUMAN)


def test_a_media_socket_that_breaks_while_the_call_lives_is_the_carriers_fault() -> None:
    async def script(stage: RealtimeStage) -> None:
        await stage.answer()
        await stage.until(6.0)
        stage.inbox.leg_left()

    carrier = FakeCarrier(found=CarrierCall("CA1", live=True, outcome=None, talked_s=0))
    record, _ = hold_realtime(script, carrier=carrier)
    assert (record.outcome, record.end_reason) == (Outcome.FAILED, EndReason.CARRIER_STREAM_LOST)
    assert record.talked_s == pytest.approx(3.0)
    assert len(carrier.hung_up_at) == 1


def test_a_call_the_carrier_ends_because_its_media_socket_broke_is_no_hang_up() -> None:
    async def script(stage: RealtimeStage) -> None:
        await stage.answer()
        await stage.until(6.0)
        stage.inbox.leg_left(broke=True)
        stage.ends()

    record, _ = hold_realtime(script)
    assert (record.outcome, record.end_reason) == (Outcome.FAILED, EndReason.CARRIER_STREAM_LOST)
    assert record.talked_s == pytest.approx(3.0)


@pytest.mark.parametrize(("broke", "reason"), [(True, EndReason.CARRIER_STREAM_LOST), (False, EndReason.USER_HANGUP)])
def test_a_callback_that_overtakes_the_sockets_end_waits_for_what_it_says(broke: bool, reason: EndReason) -> None:
    async def script(stage: RealtimeStage) -> None:
        await stage.answer()
        await stage.until(6.0)
        stage.ends()
        await stage.pass_s(0.5)
        stage.inbox.leg_left(broke=broke)

    record, _ = hold_realtime(script)
    assert record.end_reason is reason
    assert record.talked_s == pytest.approx(3.0)


def test_a_call_the_carrier_calls_over_is_over_even_if_its_socket_stays() -> None:
    async def script(stage: RealtimeStage) -> None:
        await stage.answer()
        await stage.until(6.0)
        stage.ends()
        stage.ends()

    record, _ = hold_realtime(script)
    assert record.end_reason is EndReason.USER_HANGUP
    assert record.talked_s == pytest.approx(3.0)


def test_a_hang_up_whose_callback_is_lost_is_learnt_by_asking() -> None:
    async def script(stage: RealtimeStage) -> None:
        await stage.answer()
        await stage.until(6.0)
        stage.inbox.leg_left()

    carrier = FakeCarrier(found=CarrierCall("CA1", live=False, outcome=None, talked_s=3))
    record, _ = hold_realtime(script, carrier=carrier)
    assert record.end_reason is EndReason.USER_HANGUP
    assert record.talked_s == pytest.approx(3.0)
    assert carrier.looked_up == 1


def test_a_worker_shutdown_ends_a_live_call_at_once() -> None:
    async def script(stage: RealtimeStage) -> None:
        await stage.answer()
        await stage.until(4.0)
        stage.inbox.stop(EndReason.WORKER_SHUTDOWN)

    record, stage = hold_realtime(script)
    assert (record.outcome, record.end_reason) == (Outcome.FAILED, EndReason.WORKER_SHUTDOWN)
    assert stage.carrier.hung_up_at == [1004.0]
    assert record.turns[0].interrupted


def test_a_hang_up_that_fails_is_tried_again() -> None:
    async def script(stage: RealtimeStage) -> None:
        await stage.answer()
        await stage.until(4.0)
        stage.inbox.stop(EndReason.API_STOP)

    carrier = FakeCarrier(hang_up_errors=[CarrierUnreachable("reset")])
    record, _ = hold_realtime(script, carrier=carrier)
    assert record.end_reason is EndReason.API_STOP
    assert carrier.hung_up_at == [1005.0]


def test_a_bug_in_the_pipeline_ends_the_call_in_order() -> None:
    def buggy(stage: RealtimeStage) -> None:
        stage.model.answers["say"] = lambda: stage.model.tape.emit(object())  # type: ignore[arg-type]

    async def script(stage: RealtimeStage) -> None:
        await stage.answer()

    record, stage = hold_realtime(script, set_up=buggy)
    assert (record.outcome, record.end_reason) == (Outcome.FAILED, EndReason.GATEWAY_INTERNAL)
    assert record.provider_call_id == "CA1"
    assert "unreachable" in str(record.error_message)
    assert len(stage.carrier.hung_up_at) == 1
    assert record.turns[0].text == "Hello, this is Ann."


def test_a_bug_while_dialling_leaves_the_call_ambiguous_not_to_be_dialled_again() -> None:
    class BuggyCarrier(FakeCarrier):
        async def dial(self, request: DialRequest) -> str:
            await super().dial(request)
            raise KeyError("sid")

    async def script(stage: RealtimeStage) -> None:
        await stage.until(0.0)

    record, stage = hold_realtime(script, carrier=BuggyCarrier())
    assert (record.outcome, record.end_reason) == (Outcome.AMBIGUOUS, EndReason.GATEWAY_INTERNAL)
    assert stage.model.closed == 1


def test_a_provider_that_hangs_while_closing_holds_nobody_up() -> None:
    def stuck(stage: RealtimeStage) -> None:
        stage.model.close_takes_s = 1000.0

    async def script(stage: RealtimeStage) -> None:
        await stage.answer()
        await stage.until(5.0)
        stage.hang_up()

    record, stage = hold_realtime(script, set_up=stuck)
    assert record.end_reason is EndReason.USER_HANGUP
    assert stage.lasted_s < 8.0
