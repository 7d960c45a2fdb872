"""From an ended call to a verified webhook, with the simulated world as language model and as receiver."""

from collections.abc import Iterator

import pytest
from standardwebhooks import Webhook

from deploy.simulator.process import World, world_process
from dispatcher.chat import Chat
from dispatcher.egress import Egress
from dispatcher.services.analyse import analyse_call
from dispatcher.store.db import Database
from tests.builders.rows import SECRET, an_account, call_row
from tests.integration.after_call.bells import send_all_due
from tests.integration.after_call.rows import SAID, a_call

SCHEMA = {"confirmed": {"type": "boolean", "description": "Whether the patient will come."}, "arrival": "date"}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with world_process() as running:
        yield running


def chat_in(world: World) -> Chat:
    return Chat(world.openai_url, "sk-simulated", "gpt-5.6-terra", 10)


def test_a_call_is_analysed_and_its_receiver_told(db: Database, world: World) -> None:
    config = {"webhook_url": world.sink_url("ours"), "analysis_schema": SCHEMA}
    call_id = a_call(db, an_account(db), config=config, said=SAID)
    world.answer_sink("ours", 200)
    assert analyse_call(db, call_id, 0, chat_in(world))
    assert send_all_due(db, Egress(allow_private=True)) == 1
    (got,) = world.sink("ours")
    data = Webhook(SECRET).verify(got["body"], got["headers"])["data"]
    assert (data["analysis"], data["sentiment"], data["analysis_error"]) == (
        {"confirmed": True, "arrival": None}, "positive", None,
    )  # fmt: skip
    assert data["call_summary"].endswith("last: Yes, I will come tomorrow.")


def test_a_model_that_answers_a_web_page_leaves_its_error_and_the_webhook(db: Database, world: World) -> None:
    config = {"webhook_url": world.sink_url("theirs"), "analysis_schema": SCHEMA}
    call_id = a_call(db, an_account(db), config=config, said=SAID)
    world.arm("openai_chat", "request", "not_json")
    assert analyse_call(db, call_id, 0, chat_in(world))
    assert call_row(db, call_id)["analysis_error"] == "the language model's answer cannot be read"
    assert send_all_due(db, Egress(allow_private=True)) == 1
    assert len(world.sink("theirs")) == 1
