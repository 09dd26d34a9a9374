"""Recorded days: scenario folders, replays through the stages, recordings of what was collected."""
