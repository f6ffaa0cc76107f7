"""Benchmarks: ratios of two things measured side by side, and figures that are reported. Run one by `python -m`."""
