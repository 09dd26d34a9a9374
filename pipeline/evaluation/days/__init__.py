"""The benchmark of recorded days: one scorer for every system. Definitions are in docs/benchmark.md."""
