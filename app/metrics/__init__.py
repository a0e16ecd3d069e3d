"""What an instance measures: recorded by its workers in shared memory, read by its publisher.

slots       one file of counters for each worker, in the run directory
histogram   durations in logarithmic buckets, so that percentiles are real
process     memory and CPU of the instance's processes
batch       the difference of two readings, as CloudWatch takes it
sink        the sending: buffered, bounded, never in the way of a request
exposition  the same numbers for Prometheus
"""
