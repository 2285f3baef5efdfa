"""Tests of the core of one partition, and of several together."""
