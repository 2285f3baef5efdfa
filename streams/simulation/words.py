"""Short texts for the events."""

from random import Random

TOPICS: tuple[str, ...] = ("billing", "delivery", "refund", "roaming", "login", "appointment", "contract", "router")
OUTAGE = "outage"

_ABOUT = {
    "billing": "my bill is wrong again",
    "delivery": "my parcel never came",
    "refund": "I am still waiting for my refund",
    "roaming": "roaming does not work abroad",
    "login": "I cannot log in",
    "appointment": "the technician did not come",
    "contract": "I was signed up for something I never ordered",
    "router": "the router drops the connection every hour",
    OUTAGE: "no internet in the whole street",
}
_FIRST = ("Hello, {about}.", "Hi, {about}. Please help.", "Good morning, {about}.")
_AGAIN = ("Still nothing: {about}.", "I asked before and heard nothing: {about}.", "Once more: {about}. Anybody there?")
_PUBLIC = (
    "Asked in private, no answer: {about}.",
    "Does one have to post here to be heard? {about}.",
    "Well: {about}.",
)
_SAID = {
    "fix": ("That is put right now.", "We have corrected it.", "Done, it works again."),
    "canned": ("Thank you for your message. Your concern is important to us.", "Please read our help pages."),
    "auto": ("We have received your message and will answer soon.",),
    "ask": ("Could you send us the reference number?", "Which device is it?"),
    "promise": ("We will see to it by the day named.", "A colleague takes care of it."),
    "deflect": ("Please contact us on another channel.", "We cannot do this here."),
    "handoff": ("Sorry to hear that. Please send us a direct message.",),
    "compensate": ("A voucher is on its way to you.",),
    "shrug": ("We are looking into it.", "We have no news yet, sorry."),
    "thanks": ("Thank you, it works.", "That was quick, thanks."),
    "praise": ("Really kind staff in the shop today.", "Good network lately, well done."),
    "peer": ("Same here. Restarting helped me.", "I had that too, ask for the second line."),
}
_OWN_WORDS = frozenset({"fix", "ask", "promise", "deflect", "handoff", "compensate", "shrug"})
"""What is said in one's own words, so that hardly two customers get the same text."""
_MATTERS = (
    "I have noted what you told us",
    "I have read your earlier messages",
    "I can see the entry in your file",
    "I have asked the colleagues in charge",
    "I looked it up while we spoke",
    "I am sorry that it has taken so long",
    "I have put a mark on your account",
    "I had somebody look at the line",
    "I have gone through the order",
    "I know how annoying that is",
)
_TIMES = (
    "this morning",
    "before noon",
    "over lunch",
    "this afternoon",
    "late in the day",
    "just now",
    "an hour ago",
    "at the start of the week",
    "at the end of the week",
    "after the weekend",
)
_SIGNED = ("with apologies", "and thank you", "yours", "with best wishes", "so far for today", "as promised", "for now")


def said_by_customer(rng: Random, topic: str, *, again: bool, public: bool) -> str:
    """What a customer writes or says in a contact."""
    phrases = _FIRST if not again else _PUBLIC if public else _AGAIN
    return rng.choice(phrases).format(about=_ABOUT[topic])


def said(rng: Random, what: str, *, form: bool = False) -> str:
    """A phrase for an answer of the kind `what`; without a `form`, staff add words of their own."""
    phrase = rng.choice(_SAID[what])
    if form or what not in _OWN_WORDS:
        return phrase
    return f"{phrase} {rng.choice(_MATTERS)} {rng.choice(_TIMES)}, {rng.choice(_SIGNED)}."
