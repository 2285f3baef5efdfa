"""Threads that are one by merging, with what is known of them by now: a topic learned later counts for the past."""

from collections.abc import Iterable
from dataclasses import dataclass

from streams.event import Event


@dataclass(slots=True, eq=False)
class Group:
    """Threads merged into one another, directly or not."""

    topic: str | None = None
    reference: str | None = None
    """The explicit issue."""


def group_threads(events: Iterable[Event]) -> dict[str, Group]:
    """The group of each thread; the newest topic and explicit issue count for all of it."""
    parent: dict[str, str] = {}

    def root(thread: str) -> str:
        while parent.setdefault(thread, thread) != thread:
            parent[thread] = parent[parent[thread]]
            thread = parent[thread]
        return thread

    telling = []
    for event in events:
        if event.thread is None:
            continue
        if event.kind == "merge":
            parent[root(event.thread)] = root(str(event.data["into"]))
        if event.thread not in parent:
            parent[event.thread] = event.thread
        if event.topic is not None or event.issue is not None:
            telling.append(event)
    groups: dict[str, Group] = {}
    for thread in list(parent):
        groups[thread] = groups.setdefault(root(thread), Group())
    for event in telling:
        assert event.thread is not None
        group = groups[event.thread]
        group.topic = event.topic or group.topic
        group.reference = event.issue or group.reference
    return groups
