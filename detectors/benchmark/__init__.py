"""Simulated series with their truth, and metrics that score a detector against it."""
