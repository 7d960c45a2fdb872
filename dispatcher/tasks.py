"""Celery tasks of the dispatcher: parse the message, call one service. No decisions.

Failures are logged by Celery and end the message; the database still knows what is to be done.
"""

from uuid import UUID

from celery import Celery

from dispatcher.announce import Announcer
from dispatcher.chat import Chat
from dispatcher.egress import Egress
from dispatcher.services.analyse import analyse_call
from dispatcher.services.deliver import send_delivery
from dispatcher.services.tick import run_tick
from dispatcher.settings import DispatcherSettings
from dispatcher.store.db import Database
from dispatcher.task_names import DELIVER_SEND, POST_ANALYSE, TICK


class Workshop:
    """What the tasks of one process work with."""

    def __init__(self, db: Database, announcer: Announcer, settings: DispatcherSettings) -> None:
        self.db = db
        self.announcer = announcer
        self.public_base_url = settings.public_base_url
        self.egress = Egress(allow_private=settings.egress_allow_private)
        self.chat = _chat(settings)


def register(app: Celery, workshop: Workshop) -> None:
    """Bind the tasks to the things they work with."""

    @app.task(name=TICK)  # type: ignore[untyped-decorator]
    def tick(job: str) -> None:
        run_tick(workshop.db, workshop.announcer, job)

    @app.task(name=POST_ANALYSE)  # type: ignore[untyped-decorator]
    def analyse(call_id: str, token: int) -> None:
        analyse_call(workshop.db, UUID(call_id), token, workshop.chat)

    @app.task(name=DELIVER_SEND)  # type: ignore[untyped-decorator]
    def deliver(delivery_id: str, token: int) -> None:
        send_delivery(workshop.db, UUID(delivery_id), token, workshop.egress, public_base_url=workshop.public_base_url)


def _chat(settings: DispatcherSettings) -> Chat | None:
    if not settings.openai_api_key:
        return None
    return Chat(settings.openai_base_url, settings.openai_api_key, settings.openai_chat_model)
