"""From stored counts to series a detector can judge, and from verdicts to alarm intervals."""
