"""The demo: the whole of it on one machine, at a speed at which a week passes while one watches."""
