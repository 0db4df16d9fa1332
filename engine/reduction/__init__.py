"""Reduced data (MOTE, RD): the choice of labels to train on for data sets with many labels."""
