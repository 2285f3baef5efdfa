"""Live against replay: the same input through a broker and workers that are killed, and through replay. Equal?"""
