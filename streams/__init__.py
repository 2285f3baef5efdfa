"""What follows: the pure core. No I/O, no clock, no randomness; `now` is an argument."""
