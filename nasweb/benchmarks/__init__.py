"""Benchmarks of what needs the web stack; `manage.py bench NAME` runs them beside those of the engine."""
