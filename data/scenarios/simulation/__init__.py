"""Recorded days made from facts: what `simulate_day.py` is built of."""
