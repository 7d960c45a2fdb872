"""A call as the carrier plays it: signed callbacks in order, media both ways in real time, Twilio's buffer rules."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from twilio.request_validator import RequestValidator

from deploy.simulator.process import World
from deploy.simulator.settings import DEFAULT_TWILIO_TOKEN
from deploy.simulator.voice import speech_ms
from tests.conformance.caller import Caller, running_caller
from tests.conformance.twilio_client import OUR_NUMBER, twilio_client
from tests.waiting import wait_for

EVENTS = ["initiated", "ringing", "answered", "completed"]
Story = Callable[[Caller, Callable[..., Awaitable[str]]], Awaitable[None]]


def _play(world: World, story: Story) -> None:
    """Run a story with a caller and a way to dial."""

    async def run() -> None:
        async with running_caller() as caller:

            async def dial(to: str, **fields: Any) -> str:
                settings = {
                    "twiml": caller.twiml(),
                    "status_callback": caller.status_url,
                    "status_callback_event": EVENTS,
                } | fields
                created = await asyncio.to_thread(
                    twilio_client(world).calls.create, to=to, from_=OUR_NUMBER, **settings
                )
                assert created.sid is not None
                return created.sid

            await story(caller, dial)

    asyncio.run(run())


def test_both_sides_hear_each_other_and_the_callee_ends_the_call(world: World) -> None:
    async def story(caller: Caller, dial: Callable[..., Awaitable[str]]) -> None:
        sid = await dial("+13105552001", twiml=caller.twiml("token-1", {"call": "7"}))
        stream = await caller.stream()
        assert (stream.seen[0]["event"], stream.seen[0]["version"]) == ("connected", "1.0.0")
        start = stream.seen[1]["start"]
        assert start["callSid"] == sid
        assert start["customParameters"] == {"call": "7"}
        assert start["mediaFormat"] == {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
        assert RequestValidator(DEFAULT_TWILIO_TOKEN).validate(stream.url, {}, stream.signature)
        await stream.until_heard("hello?")
        await stream.say("How are you?")
        await stream.mark("said")
        assert (await stream.next("mark"))["mark"] == {"name": "said"}
        await stream.until_heard("goodbye.")
        assert (await stream.next("stop"))["stop"]["callSid"] == sid
        await stream.next("closed")
        assert await caller.statuses("completed") == ["initiated", "ringing", "in-progress", "completed"]
        truth = world.call(sid)
        assert truth["heard_text"] == "how are you?"
        assert [said["spoken"] for said in truth["said"]] == ["hello?", "goodbye."]
        assert truth["ended_by"] == "callee"
        media = [m for m in stream.seen if m["event"] == "media"]
        assert [int(m["media"]["chunk"]) for m in media] == list(range(1, len(media) + 1))
        assert [int(m["media"]["timestamp"]) for m in media] == list(range(0, len(media) * 20, 20))
        assert [int(m["sequenceNumber"]) for m in stream.seen[1:]] == list(range(1, len(stream.seen)))

    _play(world, story)


def test_twilios_validator_vouches_for_every_callback(world: World) -> None:
    async def story(caller: Caller, dial: Callable[..., Awaitable[str]]) -> None:
        await dial("+13105550102")
        validator = RequestValidator(DEFAULT_TWILIO_TOKEN)
        for status in ("initiated", "ringing", "busy"):
            callback = await caller.callback(status)
            assert validator.validate(callback.url, callback.form, callback.signature)
            assert not validator.validate(callback.url, callback.form | {"CallStatus": "x"}, callback.signature)
        assert callback.form["SipResponseCode"] == "486"
        assert callback.form["CallDuration"] == "0"
        assert callback.form["SequenceNumber"] == "2"

    _play(world, story)


@pytest.mark.parametrize(
    ("to", "timeout", "statuses"),
    [
        ("+13105550103", 5, ["initiated", "failed"]),
        ("+13105550104", 1, ["initiated", "ringing", "no-answer"]),
    ],
)
def test_a_call_nobody_takes_ends_by_itself(world: World, to: str, timeout: int, statuses: list[str]) -> None:
    async def story(caller: Caller, dial: Callable[..., Awaitable[str]]) -> None:
        await dial(to, timeout=timeout)
        assert await caller.statuses(statuses[-1]) == statuses

    _play(world, story)


def test_a_clear_drops_what_was_not_heard_and_returns_all_marks_at_once(world: World) -> None:
    async def story(caller: Caller, dial: Callable[..., Awaitable[str]]) -> None:
        sid = await dial("+13105550107")
        stream = await caller.stream()
        await stream.say("a very long sentence that will never be heard to its end")
        await stream.mark("one")
        await stream.say("and another")
        await stream.mark("two")
        await stream.until_heard("wait")
        await stream.send("clear")
        assert (await stream.next("mark"))["mark"]["name"] == "one"
        assert (await stream.next("mark"))["mark"]["name"] == "two"
        caller.released.set()
        await caller.callback("completed")
        truth = world.call(sid)
        assert "a very long sentence".startswith(truth["heard_text"][:20])
        assert 300 <= truth["played_ms"] < speech_ms("a very long sentence that will never be heard to its end")
        assert truth["cleared_ms"] > 0
        assert truth["ended_by"] == "stream_closed"

    _play(world, story)


def test_touch_tones_of_the_callee_arrive(world: World) -> None:
    async def story(caller: Caller, dial: Callable[..., Awaitable[str]]) -> None:
        await dial("+13105550106")
        stream = await caller.stream()
        assert (await stream.next("dtmf"))["dtmf"] == {"track": "inbound_track", "digit": "1"}
        assert (await stream.next("dtmf"))["dtmf"]["digit"] == "#"

    _play(world, story)


def test_a_callee_may_hang_up_in_the_middle_of_a_sentence(world: World) -> None:
    async def story(caller: Caller, dial: Callable[..., Awaitable[str]]) -> None:
        sid = await dial("+13105550108")
        stream = await caller.stream()
        await stream.next("stop")
        await caller.callback("completed")
        assert stream.ear.text == world.call(sid)["said"][0]["spoken"] == "i am going"

    _play(world, story)


def test_machine_detection_reports_beside_the_conversation(world: World) -> None:
    async def story(caller: Caller, dial: Callable[..., Awaitable[str]]) -> None:
        amd = {"async_amd": "true", "async_amd_status_callback": caller.status_url}
        sid = await dial("+13105550105", machine_detection="DetectMessageEnd", **amd)
        await caller.stream()
        callback = await caller.callback("machine_end_beep")
        assert callback.form["CallSid"] == sid
        assert callback.form["MachineDetectionDuration"] == "200"
        assert RequestValidator(DEFAULT_TWILIO_TOKEN).validate(callback.url, callback.form, callback.signature)

    _play(world, story)


def test_the_time_limit_ends_a_call(world: World) -> None:
    async def story(caller: Caller, dial: Callable[..., Awaitable[str]]) -> None:
        sid = await dial("+13105550101", time_limit=1)
        await (await caller.stream()).next("stop")
        await caller.callback("completed")
        assert world.call(sid)["ended_by"] == "time_limit"

    _play(world, story)


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ('{"event":"media","streamSid":"MZwrong","media":{"payload":""}}', "31951"),
        ('{"event":"applause","streamSid":"SID"}', "31951"),
        ('{"event":"clear","streamSid":"SID","hurry":true}', "31951"),
        ('{"event":"media","streamSid":"SID","media":{"payload":"*"}}', "31951"),
        ("no json", "31950"),
        (b"\xff" * 160, "31950"),
    ],
)
def test_an_invalid_message_ends_the_stream(world: World, frame: str | bytes, code: str) -> None:
    async def story(caller: Caller, dial: Callable[..., Awaitable[str]]) -> None:
        sid = await dial("+13105550101")
        stream = await caller.stream()
        if isinstance(frame, bytes):
            await stream.socket.send_bytes(frame)
        else:
            await stream.socket.send_str(frame.replace("SID", stream.sid))
        await stream.next("closed")
        await caller.callback("completed")
        assert world.call(sid)["stream_error"].startswith(code)

    _play(world, story)


def test_a_stream_address_with_a_query_string_is_refused(world: World) -> None:
    async def story(caller: Caller, dial: Callable[..., Awaitable[str]]) -> None:
        sid = await dial("+13105550101", twiml=caller.twiml("t?token=1"))
        await caller.callback("completed")
        assert world.call(sid)["stream_error"].startswith("31920")

    _play(world, story)


def test_callbacks_may_be_doubled_swapped_and_lost(world: World) -> None:
    async def story(caller: Caller, dial: Callable[..., Awaitable[str]]) -> None:
        to = "+13105660102"
        world.arm("twilio", "callback", "reorder", number=to, contains="initiated")
        world.arm("twilio", "callback", "duplicate", number=to, contains="busy")
        await dial(to)
        assert await caller.statuses("busy") == ["ringing", "initiated", "busy"]
        assert (await caller.callback("busy")).form["CallStatus"] == "busy"
        world.arm("twilio", "callback", "lost", number=to, contains="ringing")
        await dial(to)
        assert await caller.statuses("busy") == ["initiated", "busy"]

    _play(world, story)


def test_the_media_socket_may_never_come_or_fall_silent_or_break(world: World) -> None:
    async def story(caller: Caller, dial: Callable[..., Awaitable[str]]) -> None:
        to = "+13105770101"
        world.arm("twilio", "media", "never", number=to)
        world.arm("twilio", "media", "close", number=to, nth=2, after_ms=50, close_code=1012)
        world.arm("twilio", "media", "reset", number=to, nth=3, after_ms=50)
        world.arm("twilio", "media", "malformed", number=to, nth=4, after_ms=50, text='{"event":"surprise"}')
        never = await dial(to)
        await caller.callback("in-progress")
        await asyncio.to_thread(wait_for, lambda: world.call(never)["status"] == "in-progress", what="the answer")
        assert world.call(never)["stream_connected_ms"] is None
        await dial(to)
        assert (await (await caller.stream()).next("closed"))["code"] == 1012
        await dial(to)
        assert (await (await caller.stream()).next("closed"))["code"] in {None, 1006}
        await dial(to)
        await (await caller.stream()).next("surprise")

    _play(world, story)
