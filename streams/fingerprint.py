"""Deterministic ids."""

from hashlib import blake2b


def fingerprint(prefix: str, *parts: object) -> str:
    """`prefix_` and 24 hex digits of BLAKE2b over the parts: the same parts give the same id, on every run."""
    text = "\x1f".join(str(part) for part in parts)
    return f"{prefix}_{blake2b(text.encode(), digest_size=12).hexdigest()}"
