"""The page of a running canary: the files that a canary writes, and the server that shows them."""
