"""A live canary: raise the weight, judge, decide. Every exit returns traffic to a safe state."""
