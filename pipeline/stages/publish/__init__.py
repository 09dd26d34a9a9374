"""Writes the report: pages, feeds, status files and metrics."""
