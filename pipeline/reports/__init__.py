"""Answers worked out for people from stored rows: decision traces, reliability, alert record, tuning, coverage."""
