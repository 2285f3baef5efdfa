"""Structured logs: one event name per thing that happens, no personal data.

JSON lines in production and where nobody watches, readable lines on a terminal. Faust's and aiokafka's own
loggers go the same way; mode clears the root logger's handlers, so it is given a whole configuration instead.
"""

import logging
import logging.config
import sys
from typing import Any

import structlog
from structlog.types import EventDict, Processor

from agents.settings import Settings

_NOISY = {
    "faust": "WARNING",
    "mode": "WARNING",
    "aiokafka": "WARNING",
    "aiohttp.access": "WARNING",
    "asyncio": "WARNING",
    "kafka": "WARNING",
}
_EXTRA_MAX = 2_000


def logging_config(settings: Settings) -> dict[str, Any]:
    """The `logging.config.dictConfig` of a process, as Faust's `logging_config` wants it."""
    plain = settings.log_format == "console" or (
        settings.log_format == "auto" and settings.env != "production" and sys.stderr.isatty()
    )
    render: list[Processor] = (
        [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
        if plain
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": [*_shared(), _shorten],
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"level": settings.log_level, "handlers": ["stderr"]},
        "loggers": {
            name: {"level": "DEBUG" if settings.log_level == "DEBUG" else level, "propagate": True}
            for name, level in _NOISY.items()
        },
    }


def set_up(settings: Settings) -> None:
    """Route structlog and the standard library's loggers to one structured stream on standard error."""
    logging.config.dictConfig(logging_config(settings))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def get(name: str) -> structlog.stdlib.BoundLogger:
    """A logger: `log.info("event_name", field=value)`."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _shorten(_logger: Any, _name: str, event: EventDict) -> EventDict:
    """Cut what libraries say to a bounded length: they may print a whole record."""
    text = event.get("event")
    if isinstance(text, str) and len(text) > _EXTRA_MAX:
        event["event"] = text[:_EXTRA_MAX] + " [cut]"
    return event
