"""The alert stage: what is due is sent; the program also watches itself."""
