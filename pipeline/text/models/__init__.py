"""The trained models: outage reports, kinds of news, the sentence encoder, their files, training and metrics."""
