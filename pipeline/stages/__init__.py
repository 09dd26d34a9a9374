"""One stage a file, each a function `run_<stage>(store, …, now)` that may be run again at any time.

They never import one another: they meet only in the store.
"""
