"""What does it: the only floor with Faust, Kafka, Redis, structlog, HTTP and the command line."""
