"""The explain stage: incidents, links to news, evidence, and the alerts they are worth."""
