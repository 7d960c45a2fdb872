"""Twilio's own client understands the simulated carrier's REST interface, answers and errors alike."""

from datetime import UTC, datetime, timedelta

import pytest
from requests.exceptions import ConnectionError as CutError
from twilio.base.exceptions import TwilioException, TwilioRestException

from deploy.simulator.process import World
from tests.conformance.twilio_client import OUR_NUMBER, twilio_client
from tests.waiting import wait_for

HANGUP = "<Response><Hangup/></Response>"
WAIT = "<Response><Pause length='60'/></Response>"


def test_a_call_is_created_fetched_and_runs_to_its_end(world: World) -> None:
    client = twilio_client(world)
    created = client.calls.create(to="+13105551101", from_=OUR_NUMBER, twiml=HANGUP, timeout=20, time_limit=60)
    assert created.sid is not None
    assert (created.status, created.direction, created.to) == ("queued", "outbound-api", "+13105551101")
    ended = wait_for(lambda: c if (c := client.calls(created.sid).fetch()).status == "completed" else None, what="end")
    assert ended.start_time is not None
    assert ended.end_time is not None
    assert ended.start_time <= ended.end_time
    assert ended.duration is not None
    assert int(ended.duration) >= 0


def test_listing_filters_by_number_status_and_time_newest_first_over_pages(world: World) -> None:
    client, to = twilio_client(world), "+13105551201"
    sids = [client.calls.create(to=to, from_=OUR_NUMBER, twiml=HANGUP).sid for _ in range(3)]
    wait_for(lambda: len(client.calls.list(to=to, status="completed")) == 3, what="three completed calls")
    assert [call.sid for call in client.calls.list(to=to, page_size=2)] == sids[::-1]
    now = datetime.now(UTC)
    assert len(client.calls.list(to=to, start_time_after=now - timedelta(minutes=5))) == 3
    assert client.calls.list(to=to, start_time_before=now - timedelta(days=2)) == []
    assert client.calls.list(to=to, status="busy") == []
    assert client.calls.list(to="+13105559999") == []


def test_a_live_call_is_hung_up_and_an_ended_one_is_not_found(world: World) -> None:
    client = twilio_client(world)
    sid = client.calls.create(to="+13105550101", from_=OUR_NUMBER, twiml=WAIT).sid
    assert sid is not None
    wait_for(lambda: client.calls(sid).fetch().status == "in-progress", what="the answer")
    assert client.calls(sid).update(status="completed").status == "completed"
    wait_for(lambda: world.call(sid)["ended_by"] == "caller", what="the end")
    with pytest.raises(TwilioRestException) as refused:
        client.calls(sid).update(status="completed")
    assert (refused.value.status, refused.value.code) == (404, 20404)


def test_a_ringing_call_is_canceled(world: World) -> None:
    client = twilio_client(world)
    sid = client.calls.create(to="+13105550104", from_=OUR_NUMBER, twiml=WAIT).sid
    assert sid is not None
    wait_for(lambda: client.calls(sid).fetch().status == "ringing", what="ringing")
    assert client.calls(sid).update(status="canceled").status == "canceled"


def test_a_live_call_is_redirected_to_another_person(world: World) -> None:
    client = twilio_client(world)
    sid = client.calls.create(to="+13105550101", from_=OUR_NUMBER, twiml=WAIT).sid
    assert sid is not None
    wait_for(lambda: client.calls(sid).fetch().status == "in-progress", what="the answer")
    client.calls(sid).update(twiml="<Response><Dial>+13105550777</Dial></Response>")
    wait_for(lambda: world.call(sid)["transferred_to"] == "+13105550777", what="the transfer")


@pytest.mark.parametrize(
    ("to", "from_", "twiml", "code"),
    [
        ("12345", OUR_NUMBER, HANGUP, 21211),
        ("", OUR_NUMBER, HANGUP, 21201),
        ("+13105551301", "", HANGUP, 21213),
        ("+13105551301", OUR_NUMBER, "", 21205),
    ],
)
def test_a_bad_request_is_refused_with_twilios_code(world: World, to: str, from_: str, twiml: str, code: int) -> None:
    with pytest.raises(TwilioRestException) as refused:
        twilio_client(world).calls.create(to=to, from_=from_, twiml=twiml)
    assert (refused.value.status, refused.value.code) == (400, code)


def test_another_token_is_refused(world: World) -> None:
    with pytest.raises(TwilioRestException) as refused:
        twilio_client(world, token="stolen").calls("CA1").fetch()
    assert (refused.value.status, refused.value.code) == (401, 20003)


def test_every_dial_is_written_down_whether_honoured_or_not(world: World) -> None:
    client, to = twilio_client(world), "+13105551401"
    world.arm("twilio", "create", "refuse", number=to, status=429, retry_after_s=1)
    with pytest.raises(TwilioRestException) as refused:
        client.calls.create(to=to, from_=OUR_NUMBER, twiml=HANGUP)
    assert (refused.value.status, refused.value.code) == (429, 20429)
    world.arm("twilio", "create", "drop", number=to)
    with pytest.raises(CutError):
        client.calls.create(to=to, from_=OUR_NUMBER, twiml=HANGUP)
    dials = [dial for dial in world.dials() if dial["to"] == to]
    assert [dial["answer"] for dial in dials] == ["fault refuse", "accepted"]
    assert world.calls(to)[0]["sid"] == dials[1]["sid"]


def test_the_listing_can_be_down_while_calls_work(world: World) -> None:
    client, to = twilio_client(world), "+13105551501"
    world.arm("twilio", "list", "refuse", number=to, status=503)
    with pytest.raises(TwilioException, match="HTTP 503"):
        client.calls.list(to=to)
    assert client.calls.list(to=to) == []
