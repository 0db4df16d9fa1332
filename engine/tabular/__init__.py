"""Official benchmark files read into tables: NATS-Bench and NAS-Bench-101, without their packages or TensorFlow.

A file is converted once, to a Parquet table with a column ``arch`` in the space's notation and a column for each
measured number (`engine.tabular_benchmarks` lists them). Searches then look up scores as in any other table.
"""
