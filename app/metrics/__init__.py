"""Metrics of an instance: workers record them in shared memory, the publisher reads them.

slots one file of counters for each worker, in the run directory histogram durations in logarithmic
buckets, for exact percentiles process memory and CPU of the instance's processes batch the
difference of two readings, in the format of CloudWatch sink sends the batches: buffered, bounded,
without delaying requests exposition  the same metrics for Prometheus
"""
