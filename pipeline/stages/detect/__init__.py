"""The detect stage: what is new of counts and reports, judged bin by bin."""
