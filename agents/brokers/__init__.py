"""Where the broker comes from: an embedded one for demo and quick tests; any Kafka by its address."""

from agents.brokers.embedded import BrokerError, embedded_broker

__all__ = ["BrokerError", "embedded_broker"]
