"""Run the benches: `python -m bench` for all, `python -m bench decide claims` for some."""

import importlib
import sys

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
        print(f"\n{name}")
        figures = importlib.import_module(f"bench.{name}").run()
        show(figures)
        save(name, figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
