"""Events that name nobody on public threads: whose they are, and when that changes.

Such an event belongs to the customer of the event it answers (`in_reply_to`), else to the author of the thread's
first contact. Either may arrive later, so an event waits until one of them is known, and moves when a better one comes.
"""

from collections.abc import Iterator, Sequence

from streams.identity.nodes import Entry, Node


class PublicThreads:
    """The first contact of each public thread, and the events that depend on it or on another event."""

    def __init__(self, entries: dict[str, Entry]) -> None:
        self._entries = entries
        self._first: dict[str, Entry] = {}
        self._loose: dict[str, list[Entry]] = {}  # by thread
        self._answers: dict[str, list[Entry]] = {}  # by the event that they answer

    def note(self, entry: Entry) -> list[Entry]:
        """Notes an event of known author on its public thread; the events whose owner may now be another."""
        thread = entry.thread
        if thread is None or not entry.contact:
            return []
        first = self._first.get(thread)
        if first is not None and first.order <= entry.order:
            return []
        self._first[thread] = entry
        return self._loose.get(thread, [])

    def hold(self, entry: Entry) -> None:
        """Notes an event without an author of its own."""
        if entry.thread is not None:
            self._loose.setdefault(entry.thread, []).append(entry)
        if entry.reply_to is not None:
            self._answers.setdefault(entry.reply_to, []).append(entry)

    def answers(self, event_id: str) -> Sequence[Entry]:
        """The events without an author that answer the event `event_id`."""
        return self._answers.get(event_id, ())

    def dependents(self, entry: Entry) -> Iterator[Entry]:
        """The events whose owner follows from that of `entry`, one step away."""
        yield from self.answers(entry.id)
        if entry.thread is not None and self._first.get(entry.thread) is entry:
            yield from self._loose.get(entry.thread, ())

    def following(self, entry: Entry) -> list[Entry]:
        """The event itself and all that answer it, over any number of steps."""
        found = {entry.id: entry}
        steps = [entry]
        while steps:
            for answer in self.answers(steps.pop().id):
                if answer.id not in found:
                    found[answer.id] = answer
                    steps.append(answer)
        return list(found.values())

    def owner(self, entry: Entry) -> Node | None:
        """Whose customer an event without an author belongs to; None while that is not known.

        Events that answer one another in a circle belong to their threads' authors.
        """
        chain: dict[str, Entry] = {}
        step: Entry | None = entry
        while step is not None and step.id not in chain:
            if step.members:
                return step.owner
            chain[step.id] = step
            step = self._entries.get(step.reply_to) if step.reply_to is not None else None
        path = list(chain.values())
        if step is not None:
            del path[path.index(step) + 1 :]
        for link in reversed(path):
            first = self._first.get(link.thread) if link.thread is not None else None
            if first is not None:
                return first.owner
        return None
