"""Something that is stored in two records: whole, and what has changed since."""

from typing import Any, Generic, Protocol, Self, TypeVar

from schemas.codec import dumps, loads


class _Stored(Protocol):
    def encode(self) -> Any: ...

    def changes(self) -> Any: ...

    def stored_whole(self) -> None: ...

    @classmethod
    def decode(cls, whole: Any, changes: Any = None) -> Self: ...


T = TypeVar("T", bound=_Stored)


class InTwo(Generic[T]):
    """The bytes of both."""

    def __init__(self, first: T) -> None:
        self._kind = type(first)
        self.write(first, whole=True)

    def write(self, thing: T, *, whole: bool) -> None:
        """Store it whole, or what has changed; what is read then is what it is."""
        if whole:
            self.whole = dumps(thing.encode())
            thing.stored_whole()
        self.changes = dumps(thing.changes())
        assert dumps(self.read().encode()) == dumps(thing.encode())
        assert dumps(self.read().changes()) == self.changes

    def read(self) -> T:
        """What is stored."""
        return self._kind.decode(loads(self.whole), loads(self.changes))
