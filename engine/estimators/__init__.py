"""Estimates of an architecture's quality."""
