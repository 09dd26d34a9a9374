"""Detectors of spikes in counts: pure, causal, many series at once. Knows nothing of the pipeline.

`registry.DETECTORS[name](**parameters)` makes one; `contract` is what each offers;
`events` turns alarms into intervals; `benchmark` measures how good one is.
"""
