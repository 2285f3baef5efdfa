"""The words of the contract: channels, kinds, actors, statuses."""

from typing import Literal, get_args

Channel = Literal["phone", "email", "chat", "messaging", "web", "app", "social", "community", "in_person", "partner"]
Kind = Literal[
    "contact",
    "abandoned",
    "self_service_failed",
    "promise",
    "answered",
    "reply",
    "deflect",
    "transfer",
    "note",
    "compensate",
    "promise_kept",
    "feedback",
    "confirmed",
    "status",
    "merge",
]
ActorType = Literal["customer", "agent", "bot", "system", "peer"]
Status = Literal["new", "open", "pending", "on_hold", "solved", "closed"]
Priority = Literal["low", "normal", "high", "urgent"]
Difficulty = Literal["easy", "medium", "hard"]

STATUSES: tuple[str, ...] = get_args(Status)
CHANNELS: tuple[str, ...] = get_args(Channel)
KINDS: tuple[str, ...] = get_args(Kind)
"""The kinds, in the order in which events of one instant are taken."""
BY_CUSTOMER = frozenset({"contact", "abandoned", "confirmed", "feedback", "self_service_failed"})
"""Kinds that a customer does by default; the others are an agent's."""
