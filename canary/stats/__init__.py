"""Statistics: plain numbers and arrays in and out, each method cited; nothing here knows canaries.

Arrays are ``[series, periods]`` and every function is vectorised over series. NaN marks a missing
period inside this package only.
"""
