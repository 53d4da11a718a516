"""Benchmarks of a checkout, and the report of a GPU: `python -m bench.gpu_report`."""
