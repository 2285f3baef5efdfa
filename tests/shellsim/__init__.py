"""A seeded simulation of the shell: the worker's own code on virtual time, with a broker that may do its worst."""
