"""The clients' work under faults: stories of a few commands each, on synthetic data."""
