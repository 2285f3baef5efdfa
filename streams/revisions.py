"""Which revisions of escalations have been seen: a later stage takes each once, and never an older one."""

from typing import Any

OVER_KEPT = 4096
"""How many resolved escalations are remembered, so that a revision delivered late opens none of them again."""


class Revisions:
    """The newest revision of every standing escalation, and the ids of those resolved last."""

    __slots__ = ("_over", "_standing")

    def __init__(self) -> None:
        self._standing: dict[str, int] = {}
        self._over: dict[str, None] = {}

    def take(self, record: dict[str, Any]) -> bool:
        """True where the record says something new; False for a duplicate, or one already replaced."""
        id_ = record["escalation_id"]
        if id_ in self._over or record["revision"] <= self._standing.get(id_, 0):
            return False
        if record["status"] != "resolved":
            self._standing[id_] = record["revision"]
            return True
        self._standing.pop(id_, None)
        self._over[id_] = None
        if len(self._over) > OVER_KEPT:
            del self._over[next(iter(self._over))]
        return True

    def encode(self) -> dict[str, Any]:
        """As a JSON object."""
        return {"standing": self._standing, "over": list(self._over)}

    @classmethod
    def decode(cls, stored: dict[str, Any]) -> "Revisions":
        """What `encode` stored."""
        revisions = cls()
        revisions._standing = dict(stored["standing"])
        revisions._over = dict.fromkeys(stored["over"])
        return revisions
