"""The errors of the embedded stack and of the supervisor; facts are attributes, the text says what to do next.

EmbeddedError
├── StackError
│   ├── ServersMissing      no server programs found anywhere
│   ├── StackInUse          another stack runs on the same data directory
│   ├── ServerFailed        a server (or the process that owns both) did not start, stop or answer
│   └── EnvironmentAddressError   the environment names half a stack
└── SupervisorError
    ├── ProcfileError       the Procfile cannot be read or run as written
    ├── ReleaseFailed       the `release` command did not succeed, nothing was started
    └── SupervisorLost      the process that owns the started processes has ended unasked
"""

from __future__ import annotations


class EmbeddedError(Exception):
    """Root of every error this package raises on purpose."""


class StackError(EmbeddedError):
    """The servers cannot be had."""


class ServersMissing(StackError):
    """No server programs were found; the text names every way to provide them."""


class StackInUse(StackError):
    """Another stack runs on the same data directory."""


class ServerFailed(StackError):
    """A server did not start, stop or answer; the text carries the end of its log."""


class EnvironmentAddressError(StackError):
    """The environment names one of the two servers but not the other."""


class SupervisorError(EmbeddedError):
    """The processes of a Procfile cannot be run."""


class ProcfileError(SupervisorError):
    """The Procfile cannot be read or run as written; the text names the line."""


class ReleaseFailed(SupervisorError):
    """The `release` command did not succeed, so nothing else was started."""

    def __init__(self, exit_code: int, log_tail: str) -> None:
        """Keep the exit code and the end of the release log."""
        super().__init__(f"release exited with {exit_code}\n{log_tail}".rstrip())
        self.exit_code = exit_code
        self.log_tail = log_tail


class SupervisorLost(SupervisorError):
    """The process that owned the started processes has ended unasked; nothing it had started is left."""
