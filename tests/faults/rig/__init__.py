"""The fault rig: it runs the whole platform on real servers under load, and injects named faults.

At the end it compares the acknowledgements to its clients with the stored, sequenced, published, projected and
notified events. `python -m tests.faults.rig --help`.
"""
