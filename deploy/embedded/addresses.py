"""Where the two servers are reached: in the embedded sockets, or where the environment says.

Rule of precedence: an environment that names both servers wins and nothing is started; one that names only one of them
is an error, because half a private stack beside half a real one is never what was meant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deploy.embedded.errors import EnvironmentAddressError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

REDIS_SOCKET_NAME = "valkey.sock"
_REDIS_SCHEMES = ("redis://", "rediss://", "redis+socket://", "unix://")


@dataclass(frozen=True, slots=True)
class StackAddresses:
    """URLs of both servers; pids and the socket directory are None for servers that are not ours.

    `redis_url` suits Celery and kombu, `redis_py_url` suits redis-py: they spell a Unix socket differently.
    """

    database_url: str
    redis_url: str
    redis_py_url: str
    postgres_pid: int | None = None
    redis_pid: int | None = None
    run_dir: Path | None = None

    def as_environment(self) -> dict[str, str]:
        """Return the variables that lead a child process to these servers."""
        return {"DATABASE_URL": self.database_url, "REDIS_URL": self.redis_url}


def embedded_addresses(run_dir: Path, postgres_pid: int | None, redis_pid: int | None) -> StackAddresses:
    """Return the addresses of servers whose Unix sockets lie in `run_dir`."""
    redis_url = f"redis+socket://{run_dir}/{REDIS_SOCKET_NAME}"
    return StackAddresses(
        database_url=f"postgresql+psycopg://app@/postgres?host={run_dir}",
        redis_url=redis_url,
        redis_py_url=_for_redis_py(redis_url),
        postgres_pid=postgres_pid,
        redis_pid=redis_pid,
        run_dir=run_dir,
    )


def addresses_in(environ: Mapping[str, str]) -> StackAddresses | None:
    """Return the servers the environment names, or None when it names none.

    Raises:
        EnvironmentAddressError: only one of them is named, or the broker is no Redis and REDIS_URL is not set.
    """
    database_url = environ.get("DATABASE_URL", "")
    redis_url = environ.get("REDIS_URL", "") or environ.get("CELERY_BROKER_URL", "")
    if not database_url and not redis_url:
        return None
    if not database_url or not redis_url:
        named, absent = (
            ("DATABASE_URL", "REDIS_URL") if database_url else ("REDIS_URL or CELERY_BROKER_URL", "DATABASE_URL")
        )
        raise EnvironmentAddressError(
            f"{named} is set but {absent} is not: set both, or neither to start private servers"
        )
    if not redis_url.startswith(_REDIS_SCHEMES):
        raise EnvironmentAddressError("CELERY_BROKER_URL is no Redis: set REDIS_URL as well")
    return StackAddresses(database_url, redis_url, _for_redis_py(redis_url))


def _for_redis_py(redis_url: str) -> str:
    prefix = "redis+socket://"
    if not redis_url.startswith(prefix):
        return redis_url
    return f"unix://{redis_url.removeprefix(prefix)}".replace("virtual_host=", "db=")
