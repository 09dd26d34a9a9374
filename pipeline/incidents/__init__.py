"""What the rows amount to, pure: no store, clock or network. The explain stage hands rows in, stores what comes out.

episodes      spans and notices on one time line per service, joined into episodes, episodes into stories
incidents     a story becomes one incident: how sure, how bad, its parts
phases        its stretches, each begun by something that changed, with an impact
scope         parts affected, working, unknown; symptoms and places with shares; numbers of reports by definition
certainty     the probability that something is really broken, in parts
shared        failures of many services at once, and what they all run on
links         incidents beside news events;  placebo: how often random dates would be linked as well
accounts      who said what, beside what was measured
surge         a warning before anything breaks;  rivals: who gained, who had trouble too, who is fine
comparable    outages like this one, and how long they lasted
ledger        how soon providers own up, how long they are down
"""
