"""Where it is said: the table of topics, the dead-letter envelope."""
