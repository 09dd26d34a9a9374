"""Detectors that fit a trailing window of each bin: EARS, Farrington, robust z, same-time ratio, STL."""
