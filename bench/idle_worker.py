"""Memory of a real media worker of the Procfile that has no calls: Celery, pool, host, listener and heartbeat."""

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import URLError
from urllib.request import urlopen

from bench.children import wait_until
from bench.measure import resident_mb
from deploy.embedded.stack import controlled_stack
from deploy.embedded.supervisor import Supervisor
from deploy.launch import ROOT, VENDORS, free_port, process_env
from schema.migrations.run import upgrade

SLOTS = 200
START_S = 60.0
SETTLE_S = 5.0


def idle_worker_mb() -> float:
    """Start one worker with 200 slots, wait until it is healthy and quiet, and read its resident memory in MB."""
    with TemporaryDirectory() as folder, controlled_stack(Path(folder) / "stack") as stack:
        upgrade(stack.addresses.database_url)
        env = process_env(
            database_url=stack.addresses.database_url,
            broker_url=stack.addresses.redis_url,
            world_url="http://127.0.0.1:9",
            simulated=VENDORS,
            web_port=free_port(),
            data_dir=Path(folder),
            media_slots=SLOTS,
        )
        port = free_port()
        env |= {"MEDIA_PORT": str(port), "MEDIA_DRAIN_GRACE_S": "0"}
        with Supervisor(ROOT / "Procfile", only=("media",), env=env, log_dir=Path(folder) / "logs") as supervisor:
            if not wait_until(lambda: _is_healthy(port), START_S):
                raise RuntimeError(f"the worker did not start: {supervisor.log_path('media.1').read_text()[-2000:]}")
            time.sleep(SETTLE_S)
            return resident_mb(supervisor.pids()["media.1"])


def _is_healthy(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1) as answer:
            return int(answer.status) == 200
    except (URLError, TimeoutError, ConnectionError):
        return False
