"""The read model in Redis: customer by identity, open escalations, the console's feed. Rebuilt from Kafka at will."""
