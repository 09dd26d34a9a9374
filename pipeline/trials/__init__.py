"""Trials of what the program decides, with figures: on simulated data, and on other people's where EVAL_DATA points."""
