"""Run the simulated world until interrupted: `python -m deploy.simulator --port 8900 --callees people.yaml`.

Prints one JSON line with its base URL when it is ready. Keys come from SIM_OPENAI_KEY, SIM_DEEPGRAM_KEY, SIM_TWILIO_SID
and SIM_TWILIO_TOKEN.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.simulator.app import running_world
from deploy.simulator.callees import Callees, read_callees
from deploy.simulator.settings import CANNED_VENDORS, WorldSettings, credentials


def _parser() -> argparse.ArgumentParser:
    defaults = WorldSettings()
    parser = argparse.ArgumentParser(prog="python -m deploy.simulator", description="The simulated outside world.")
    parser.add_argument("--port", type=int, default=8900, help="0 takes a free one")
    parser.add_argument("--stop-with-stdin", action="store_true", help="stop when standard input ends")
    parser.add_argument("--callees", type=Path, help="YAML file: people, numbers, default")
    parser.add_argument("--log-dir", type=Path, help="append dials, calls and deliveries here as JSON lines")
    parser.add_argument(
        "--bench", default="", help=f"vendors that play canned audio: {','.join(sorted(CANNED_VENDORS))}"
    )
    parser.add_argument("--calls-per-s", type=float, default=defaults.twilio_calls_per_s, help="0 is unlimited")
    parser.add_argument("--think-ms", type=int, default=defaults.think_ms, help="a model's time to first output")
    parser.add_argument("--speedup", type=float, default=defaults.audio_speedup, help="speech faster than real time")
    parser.add_argument("--transcription-ms", type=int, default=defaults.transcription_ms)
    parser.add_argument("--session-s", type=float, default=defaults.session_s, help="longest realtime session")
    parser.add_argument("--idle-s", type=float, default=defaults.idle_s, help="longest silence on a listening socket")
    return parser


def _settings(options: argparse.Namespace) -> WorldSettings:
    canned = frozenset(name for name in options.bench.split(",") if name)
    if not canned <= CANNED_VENDORS:
        raise ValueError(f"--bench knows {', '.join(sorted(CANNED_VENDORS))}")
    return WorldSettings(
        twilio_calls_per_s=options.calls_per_s,
        canned=canned,
        think_ms=options.think_ms,
        audio_speedup=options.speedup,
        transcription_ms=options.transcription_ms,
        session_s=options.session_s,
        idle_s=options.idle_s,
        log_dir=options.log_dir,
        **credentials(os.environ),  # type: ignore[arg-type]  # each name goes with its own type
    )


async def _serve(settings: WorldSettings, callees: Callees, port: int, *, stop_with_stdin: bool) -> None:
    stopped = asyncio.Event()
    if stop_with_stdin:
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), stopped.set)
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, stopped.set)
    async with running_world(settings, callees, port=port) as base_url:
        print(json.dumps({"base_url": base_url}), flush=True)
        await stopped.wait()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    options = _parser().parse_args(arguments)
    try:
        settings = _settings(options)
        callees = read_callees(options.callees.read_text(encoding="utf-8") if options.callees else "")
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(settings, callees, options.port, stop_with_stdin=options.stop_with_stdin))
    return 0


def _loop_factory() -> "type[asyncio.AbstractEventLoop] | None":
    try:
        import uvloop  # noqa: PLC0415 - an optional accelerator
    except ImportError:
        return None
    return uvloop.Loop


if __name__ == "__main__":
    sys.exit(main())
