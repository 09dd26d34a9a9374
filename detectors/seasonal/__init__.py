"""The default detector: a seasonal negative binomial baseline and scan windows, in two equal kernels."""
