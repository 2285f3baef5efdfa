"""The one question that a customer may have open at a time, and by whom it is to be answered."""

from streams.identity.links import Asking, CustomerLinks


def ask(links: CustomerLinks) -> int:
    """Opens a question; its number."""
    links.turn += 1
    links.asking = Asking(links.turn)
    return links.turn


def is_open(links: CustomerLinks, number: int, *, below: bool = False) -> bool:
    """Whether the question is still open; `below`: and a smaller customer has promised to come back."""
    asking = links.asking
    return asking is not None and asking.number == number and asking.below == below and asking.giver is None
