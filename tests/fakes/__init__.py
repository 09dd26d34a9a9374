"""Runnable stand-ins for every upstream, one a file, speaking its wire format over real sockets on loopback.

`python -m tests.fakes reddit --port 8101 --scenario DIR` runs one by hand. What it serves is what was public of a
recorded day at its clock, which is set by `POST /__clock` with a time as body; `GET /__requests` tells what clients
asked. Faults are scripted by tests (`faults.py`).
"""
