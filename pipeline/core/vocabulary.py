"""The closed sets of words that rows, records and messages use."""

from __future__ import annotations

IMPACTS = ("none", "low", "moderate", "high", "critical")


STATES = ("possible", "likely", "confirmed", "resolved")


SYMPTOMS = ("login", "error", "slow", "no_response", "crash", "payment", "data", "connection", "partial", "all")
