"""The simulated world as a process: what survives it, what it refuses to start with, and its mode for benches."""

import asyncio
import json
import subprocess
import sys
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from openai import AsyncOpenAI

from deploy.simulator.process import World, WorldError, world_process
from deploy.simulator.voice import decode_mulaw, silence, speak
from tests.conformance.talk import Talk
from tests.conformance.twilio_client import OUR_NUMBER, twilio_client
from tests.waiting import wait_for


def test_dials_and_ended_calls_survive_the_process(tmp_path: Path) -> None:
    with world_process(log_dir=tmp_path) as world:
        to = "+13105550100"
        sid = twilio_client(world).calls.create(to=to, from_=OUR_NUMBER, twiml="<Response><Hangup/></Response>").sid
        (dial,) = world.dials()
        assert json.loads((tmp_path / "dials.jsonl").read_text()) == dial
        wait_for((tmp_path / "calls.jsonl").exists, what="the end of the call")
    assert dial["to"] == to
    assert dial["from"] == OUR_NUMBER
    assert dial["at"] >= world.started_at
    assert json.loads((tmp_path / "calls.jsonl").read_text())["sid"] == dial["sid"] == sid


def test_a_world_with_other_keys_refuses_the_usual_ones() -> None:
    with world_process(env={"SIM_TWILIO_TOKEN": "another"}) as world:
        assert twilio_client(world, token="another").calls.list() == []
        with pytest.raises(Exception, match="401"):
            twilio_client(world).calls.list()


def test_a_faulty_file_of_people_stops_the_start(tmp_path: Path) -> None:
    callees = tmp_path / "callees.yaml"
    callees.write_text("default: nobody", encoding="utf-8")
    command = [sys.executable, "-m", "deploy.simulator", "--port", "0", "--callees", str(callees)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert (run.returncode, run.stderr.strip()) == (2, "nobody describes nobody")


def test_the_back_door_names_what_is_wrong(world: World) -> None:
    with pytest.raises(WorldError, match="twilio/create knows"):
        world.arm("twilio", "create", "explode")
    with pytest.raises(WorldError, match="nobody describes ghost"):
        world.change_callees("numbers: {'+1': ghost}")
    with pytest.raises(WorldError, match="no such call"):
        world.call("CA0")


def test_a_bench_world_answers_any_sound_with_prepared_speech() -> None:
    async def run(world: World) -> None:
        client = AsyncOpenAI(base_url=world.openai_url, api_key="sk-simulated")
        async with client.realtime.connect(model="gpt-realtime-2.1") as connection:
            session = Talk(connection)
            await session.configure()
            await session.hear(speak("whatever") + silence(400))
            done: Any = await session.until("response.done")
            pieces = [b64decode(e.delta) for e in session.events if e.type == "response.output_audio.delta"]
            assert decode_mulaw(b"".join(pieces)) == done.response.output[0].content[0].transcript

    with world_process(bench=("twilio", "openai", "deepgram")) as world:
        asyncio.run(run(world))
