"""What a text says: services, parts, symptoms, places, times, claims; `extract` puts them together."""
