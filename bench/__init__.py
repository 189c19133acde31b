"""Measurements of single programs; `make bench` runs them, docs/benchmarks.md holds the last tables."""
