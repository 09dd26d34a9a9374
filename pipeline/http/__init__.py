"""HTTP for sources and channels: addresses that may be reached, retries, sessions with a budget."""
