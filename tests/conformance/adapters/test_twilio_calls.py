"""The Twilio adapter places, watches, finds and ends calls of a carrier that speaks the true protocol."""

import asyncio
import time

import httpx
import pytest

from deploy.simulator.process import World
from deploy.simulator.settings import DEFAULT_TWILIO_SID
from media.carriers.twilio.carrier import TwilioCarrier
from media.errors import CarrierRefusal, CarrierUnreachable, DialUnknown
from media.ports import CarrierAnswered, CarrierEnded, CarrierMachineResult, CarrierRinging
from schema.outcomes import AnsweredBy, EndReason, Outcome
from tests.conformance.adapters.phone_line import FROM, open_carrier, open_line

SPEAKER, BUSY, NO_ANSWER, REJECTED, FAILED, MACHINE, QUIET = (f"+1555000000{number}" for number in range(1, 8))


async def outcome_of(world: World, to: str, *, ring_timeout_s: int = 30) -> CarrierEnded:
    async with open_line() as line, open_carrier(world) as carrier:
        await carrier.dial(line.request(to, ring_timeout_s=ring_timeout_s))
        ended = await line.heard_of(CarrierEnded)
    assert isinstance(ended, CarrierEnded)
    return ended


def test_a_call_rings_is_answered_and_ends_by_our_hang_up(world: World) -> None:
    async def scenario() -> None:
        async with open_line() as line, open_carrier(world) as carrier:
            sid = await carrier.dial(line.request(QUIET))
            leg = await line.joined()
            assert leg.provider_call_id == sid
            live = await carrier.look_up(sid)
            assert live is not None
            assert live.live
            await carrier.hang_up(sid)
            ended = await line.heard_of(CarrierEnded)
            assert isinstance(ended, CarrierEnded)
            assert ended.outcome is None
            assert ended.talked_s >= 1
            assert [type(event) for event in line.events] == [CarrierRinging, CarrierAnswered, CarrierEnded]
            over = await carrier.look_up(sid)
            assert over is not None
            assert (over.live, over.outcome, over.talked_s) == (False, None, ended.talked_s)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("to", "outcome"),
    [
        (BUSY, Outcome.BUSY),
        (NO_ANSWER, Outcome.NO_ANSWER),
        (REJECTED, Outcome.REJECTED),
        (FAILED, Outcome.INVALID_NUMBER),
    ],
)
def test_a_call_that_nobody_takes_says_why(world: World, to: str, outcome: Outcome) -> None:
    ended = asyncio.run(outcome_of(world, to, ring_timeout_s=1))
    assert (ended.outcome, ended.talked_s) == (outcome, 0.0)


def test_a_ringing_call_can_be_taken_back(world: World) -> None:
    async def scenario() -> None:
        async with open_line() as line, open_carrier(world) as carrier:
            sid = await carrier.dial(line.request(NO_ANSWER))
            await line.heard_of(CarrierRinging)
            await carrier.hang_up(sid)
            ended = await line.heard_of(CarrierEnded)
            assert isinstance(ended, CarrierEnded)
            assert ended.outcome is Outcome.CANCELLED

    asyncio.run(scenario())


def test_a_machine_is_detected_without_keeping_the_stream_waiting(world: World) -> None:
    async def scenario() -> None:
        async with open_line() as line, open_carrier(world) as carrier:
            sid = await carrier.dial(line.request(MACHINE, detect_machine=True))
            await line.joined()
            assert await line.heard_of(CarrierMachineResult) == CarrierMachineResult(AnsweredBy.VOICEMAIL)
            await carrier.hang_up(sid)

    asyncio.run(scenario())


def test_hanging_up_twice_or_a_call_nobody_knows_is_no_error(world: World) -> None:
    async def scenario() -> None:
        async with open_line() as line, open_carrier(world) as carrier:
            sid = await carrier.dial(line.request(BUSY))
            await line.heard_of(CarrierEnded)
            await carrier.hang_up(sid)
            await carrier.hang_up("CA" + "0" * 32)
            assert await carrier.look_up("CA" + "0" * 32) is None

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"status": 503}, EndReason.CARRIER_REFUSED),
        ({"status": 429}, EndReason.CARRIER_REFUSED),
        ({"status": 400, "code": 21217}, EndReason.DIAL_INVALID_NUMBER),
        ({"status": 403, "code": 20003}, EndReason.CARRIER_AUTH),
    ],
)
def test_a_proved_refusal_places_no_call(world: World, fault: dict[str, object], reason: EndReason) -> None:
    world.arm("twilio", "create", "refuse", **fault)

    async def scenario() -> None:
        async with open_line() as line, open_carrier(world) as carrier:
            with pytest.raises(CarrierRefusal) as caught:
                await carrier.dial(line.request(QUIET))
            assert caught.value.end_reason is reason

    asyncio.run(scenario())
    assert (len(world.dials()), world.calls()) == (1, [])


def test_a_wrong_token_and_a_wrong_number_are_told_apart(world: World) -> None:
    async def scenario() -> None:
        async with open_line() as line, open_carrier(world, auth_token="wrong") as stranger:
            with pytest.raises(CarrierRefusal) as caught:
                await stranger.dial(line.request(QUIET))
            assert caught.value.end_reason is EndReason.CARRIER_AUTH
            with pytest.raises(CarrierUnreachable):
                await stranger.look_up("CA1")
        async with open_line() as line, open_carrier(world) as carrier:
            with pytest.raises(CarrierRefusal) as caught:
                await carrier.dial(line.request("+0123"))
            assert caught.value.outcome is Outcome.INVALID_NUMBER

    asyncio.run(scenario())


@pytest.mark.parametrize(("kind", "placed"), [("drop", True), ("lost", False)])
def test_a_dial_whose_answer_is_lost_is_sent_once_and_settled_by_looking(
    world: World, kind: str, *, placed: bool
) -> None:
    world.arm("twilio", "create", kind)

    async def scenario() -> None:
        async with open_line() as line, open_carrier(world) as carrier:
            since_s = time.time()
            with pytest.raises(DialUnknown):
                await carrier.dial(line.request(QUIET))
            found = await carrier.find(QUIET, FROM, since_s, frozenset())
            assert (found is not None) is placed
            if found is not None:
                assert await carrier.find(QUIET, FROM, since_s, frozenset({found.provider_call_id})) is None
                await carrier.hang_up(found.provider_call_id)

    asyncio.run(scenario())
    assert (len(world.dials()), len(world.calls())) == (1, int(placed))


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_server_error_proves_nothing(world: World, status: int) -> None:
    world.arm("twilio", "create", "refuse", status=status)

    async def scenario() -> None:
        async with open_line() as line, open_carrier(world) as carrier:
            with pytest.raises(DialUnknown):
                await carrier.dial(line.request(QUIET))

    asyncio.run(scenario())
    assert len(world.dials()) == 1


def test_without_a_connection_no_call_was_placed() -> None:
    async def refuse(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    async def scenario() -> None:
        carrier = TwilioCarrier(
            base_url="http://127.0.0.1:9",
            account_sid=DEFAULT_TWILIO_SID,
            auth_token="t",
            transport=httpx.MockTransport(refuse),
        )
        async with open_line() as line:
            with pytest.raises(CarrierRefusal) as caught:
                await carrier.dial(line.request(QUIET))
        await carrier.close()
        assert caught.value.end_reason is EndReason.CARRIER_UNREACHABLE

    asyncio.run(scenario())


def test_a_call_is_found_among_pages_of_others_and_never_an_older_one(world: World) -> None:
    async def scenario() -> None:
        async with open_line() as line, open_carrier(world) as carrier:
            placed = [await carrier.dial(line.request(BUSY)) for _ in range(60)]
            found = await carrier.find(BUSY, FROM, time.time() - 30, frozenset(placed[1:]))
            assert found is not None
            assert found.provider_call_id == placed[0]
            assert await carrier.find(BUSY, FROM, time.time() - 30, frozenset(placed)) is None
            assert await carrier.find(BUSY, FROM, time.time() - 120, frozenset()) is None
            assert await carrier.find(BUSY, FROM, time.time() + 60, frozenset()) is None
            assert await carrier.find(QUIET, FROM, time.time() - 30, frozenset()) is None

    asyncio.run(scenario())


@pytest.mark.parametrize("kind", ["refuse", "drop"])
def test_looking_is_tried_again_but_not_for_ever(world: World, kind: str) -> None:
    async def scenario() -> None:
        async with open_carrier(world) as carrier:
            world.arm("twilio", "list", kind, times=2, status=503)
            assert await carrier.find(QUIET, FROM, time.time(), frozenset()) is None
            world.arm("twilio", "list", kind, times=3, status=503)
            with pytest.raises(CarrierUnreachable):
                await carrier.find(QUIET, FROM, time.time(), frozenset())

    asyncio.run(scenario())


@pytest.mark.parametrize("kind", ["duplicate", "reorder", "lost"])
def test_callbacks_may_be_doubled_reordered_or_lost(world: World, kind: str) -> None:
    world.arm("twilio", "callback", kind, contains="ringing")
    ended = asyncio.run(outcome_of(world, BUSY))
    assert ended.outcome is Outcome.BUSY
