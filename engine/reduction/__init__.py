"""Reduced data (MOTE, RD): which labels of a many-label set to train on, and why."""
