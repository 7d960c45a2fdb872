"""How processes log: one JSON line per event on stderr, static event names, data in fields, nobody's number in full.

Transcripts, prompts and secrets are never logged; fields that hold a phone number are masked here, whoever logs them.
"""

import logging
import sys

import structlog
from structlog.typing import EventDict, WrappedLogger

NUMBER_FIELDS = frozenset({"phone_number", "from_number", "to", "from_", "caller_id"})
LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def masked(phone_number: str) -> str:
    """Keep the country's first digits and the last two of a number."""
    return f"{phone_number[:3]}***{phone_number[-2:]}" if len(phone_number) > len("+1***99") else "***"


def mask_numbers(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Mask every field that holds a phone number."""
    for name in NUMBER_FIELDS & event.keys():
        event[name] = masked(str(event[name]))
    return event


def configure_logging(level: str) -> None:
    """Send this process's own events and those of its libraries (from warning up) to stderr as JSON lines."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        mask_numbers,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(LEVELS[level], logging.WARNING))
