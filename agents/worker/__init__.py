"""The Faust application: reads batches, drives the pure core, writes state and outputs, all confirmed."""
