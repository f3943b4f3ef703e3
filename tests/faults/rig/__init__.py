"""The fault rig: the whole platform on real servers, driven and broken from outside, and reckoned up at the end.

Clients send commands; faults are injected, each named; then a ledger of what was acknowledged to the clients is set
against what is stored, sequenced, published, projected and notified. `python -m tests.faults.rig --help`.
"""
