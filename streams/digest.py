"""The hash by which a text is known again, without being kept."""

import re
from hashlib import blake2b

TEXT_MIN = 20
"""Shorter texts ("Thank you!") say nothing about where they came from. Characters, after normalising."""

_NOISE = re.compile(r"[\W\d_]+")


def digest(text: str) -> str | None:
    """A hash of the text in its normal form (letters only, case folded); None for one too short to tell."""
    plain = _NOISE.sub(" ", text.casefold()).strip()
    if len(plain) < TEXT_MIN:
        return None
    return blake2b(plain.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
