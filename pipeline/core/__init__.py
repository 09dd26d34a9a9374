"""Records, vocabulary, times and errors: what every package may use and nothing depends on in turn."""
