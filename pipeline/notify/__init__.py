"""When to notify, whom, of what, and how: policy, routing, payload, digest, channels."""
