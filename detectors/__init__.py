"""Detectors of spikes in counts: pure, causal, many series at once. Knows nothing of the pipeline.

`registry.DETECTORS[name](**parameters)` makes one; `contract` is what each offers;
`events` turns alarms into intervals; `benchmark` measures how good one is.
"""

# of detectors that have judged the same counts in more than one way, by name; the version is part of a detector's repr
VERSIONS = {"seasonal_nb": 6, "farrington": 2}
