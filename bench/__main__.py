"""Run the benches: `python -m bench` for all, `python -m bench decide claims` for some.

BENCH_QUICK=1 gives a short look; other BENCH_ variables are in the benches and in docs/performance.md.
"""

import importlib
import os
import sys
import time

from bench.measure import save, show

BENCHES = ("decide", "claims", "accepts", "live_calls")


def main() -> int:
    """Run the named benches one after the other; 0 when all ran."""
    names = sys.argv[1:] or list(BENCHES)
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        print(f"unknown bench {unknown[0]!r}; there are {', '.join(BENCHES)}")
        return 2
    for name in names:
        began, began_load = time.monotonic(), os.getloadavg()[0]
        print(f"\n{name}  (load average {began_load:.1f} on {os.cpu_count()} cores)", flush=True)
        figures = importlib.import_module(f"bench.{name}").run()
        show(figures)
        print(f"       took {time.monotonic() - began:.0f} s", flush=True)
        save(name, figures, began_load)
    return 0


if __name__ == "__main__":
    sys.exit(main())
