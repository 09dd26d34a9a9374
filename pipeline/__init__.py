"""Groundswell: detects outages from what users report, often before the status page says so.

Stages, in order, each in `pipeline/stages`, meeting only in the database:

    collect   sources -> posts, news items, complaint counts, status updates, chart ranks
    tag       posts -> which service, outage or not, which part, how it fails; votes
    detect    counts -> verdicts: observed, expected, score, alarm
    explain   verdicts, tags, updates, news -> incidents, phases, components, links, and outbox rows
    alert     outbox rows -> mails, files
    publish   the story -> a self-contained report
"""
