"""Everything up for the demo: the embedded stack, the simulated world and every process of the Procfile."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.embedded.stack import running_stack
from deploy.embedded.supervisor import ProcessEvent, Supervisor
from deploy.launch import DATA_DIR, ROOT, VENDORS, free_port, process_env
from deploy.simulator.process import World, world_process

PEOPLE = Path(__file__).with_name("people.yaml")
MEDIA_WORKERS = 2
SLOTS_PER_WORKER = 15
STOP_GRACE_S = 8.0


@dataclass(frozen=True, slots=True)
class Running:
    """Handles of what runs."""

    supervisor: Supervisor
    world: World
    api_url: str
    database_url: str
    data_dir: Path

    def kill(self, name: str) -> None:
        """Kill one process of the Procfile the hard way, e.g. media.1."""
        self.supervisor.kill(name, signal.SIGKILL)


@contextmanager
def running_everything(say: Callable[[str], None], on_event: Callable[[ProcessEvent], None]) -> Iterator[Running]:
    """Start everything in order and stop it in reverse, whatever happens in between."""
    data_dir = DATA_DIR
    with running_stack(data_dir) as stack:
        say("PostgreSQL and Valkey are up")
        with world_process(callees=PEOPLE, log_dir=data_dir / "world") as world:
            say(f"simulated carrier, AI providers and webhook receiver at {world.base_url}")
            web_port = free_port()
            env = process_env(
                database_url=stack.database_url,
                broker_url=stack.redis_url,
                world_url=world.base_url,
                simulated=VENDORS,
                web_port=web_port,
                data_dir=data_dir,
                media_slots=SLOTS_PER_WORKER,
            )
            env["MEDIA_DRAIN_GRACE_S"] = "5"
            supervisor = Supervisor(
                ROOT / "Procfile",
                scale={"media": MEDIA_WORKERS},
                env=env,
                log_dir=data_dir / "logs",
                on_event=on_event,
                grace_s=STOP_GRACE_S,
            )
            with supervisor:
                yield Running(supervisor, world, f"http://127.0.0.1:{web_port}", stack.database_url, data_dir)
