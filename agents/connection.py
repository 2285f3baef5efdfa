"""How clients of this program reach the broker: addresses, TLS and SASL."""

import ssl
from typing import Any

from agents.settings import Settings

ANSWER_MS = 8_000
"""How long one broker may stay silent, where somebody waits, before another is asked: it may have stalled."""


def tls(settings: Settings) -> ssl.SSLContext | None:
    """The TLS context, or None where the connection is plain. Certificates and names are always checked."""
    if not settings.security_protocol.endswith("SSL"):
        return None
    return ssl.create_default_context(cafile=str(settings.ssl_cafile) if settings.ssl_cafile else None)


def client_options(settings: Settings) -> dict[str, Any]:
    """Keyword arguments of any aiokafka client."""
    options: dict[str, Any] = {
        "bootstrap_servers": settings.broker.split(","),
        "security_protocol": settings.security_protocol,
        "ssl_context": tls(settings),
    }
    if settings.security_protocol.startswith("SASL") and settings.sasl_password is not None:
        options |= {
            "sasl_mechanism": settings.sasl_mechanism,
            "sasl_plain_username": settings.sasl_username,
            "sasl_plain_password": settings.sasl_password.get_secret_value(),
        }
    return options
