"""Run a worker in this process until it is told to end."""

import asyncio
import logging
from typing import NoReturn

import faust

from agents import log
from agents.clock import Clock
from agents.settings import Settings
from agents.topic_admin import check_topics
from agents.worker.app import make_app
from agents.worker.ports import Kit

_log = log.get("mindgap.topics")


class TopicsNotReadyError(RuntimeError):
    """The topics are not as they should be; one sentence for each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def run_worker(settings: Settings, clock: Clock, kit: Kit) -> NoReturn:
    """Check the topics, then work. Raises TopicsNotReadyError or TopicError before, SystemExit at the end."""
    log.set_up(settings)
    found = asyncio.run(check_topics(settings))
    if found.problems:
        raise TopicsNotReadyError(found.problems)
    for remark in found.remarks:
        _log.warning("topic_remark", what=remark)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    app = make_app(settings, clock, kit)
    worker = faust.Worker(
        app,
        loop=loop,
        loglevel=logging.getLevelName(settings.log_level),
        quiet=True,
        redirect_stdouts=False,
        override_logging=False,
    )
    worker.spinner = None  # it would write control codes to standard output
    worker.execute_from_commandline()
