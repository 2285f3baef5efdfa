"""Where the broker comes from: an embedded one for demo and quick tests, or Apache Kafka from its jars."""

from agents.brokers.apache import Broker, Cluster, apache_kafka
from agents.brokers.embedded import embedded_broker
from agents.brokers.process import BrokerError
from agents.brokers.properties import Security

__all__ = ["Broker", "BrokerError", "Cluster", "Security", "apache_kafka", "embedded_broker"]
