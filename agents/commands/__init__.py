"""One module per command of `mindgap`; each holds a click object of its own name."""
