"""Benchmarks that need the web stack; `manage.py bench NAME` runs these and those of the engine."""
