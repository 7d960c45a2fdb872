"""Celery tasks of a media worker. One `media.run` is one call in one slot; its message is acknowledged early."""

from uuid import UUID

from celery import Celery

from media.desk import MEDIA_RUN, MEDIA_SETTLE
from media.host.host import MediaHost
from schema.callspec import Claim


def register(app: Celery, host: MediaHost) -> None:
    """Bind the tasks of this process to its host."""

    @app.task(name=MEDIA_RUN)  # type: ignore[untyped-decorator]
    def run(call_id: str, lease_token: int) -> None:
        host.carry(Claim(UUID(call_id), lease_token))

    @app.task(name=MEDIA_SETTLE)  # type: ignore[untyped-decorator]
    def settle(call_id: str) -> None:
        host.settle(UUID(call_id))
