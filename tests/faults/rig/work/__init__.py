"""The work that clients do while things break: stories of a few commands each, on synthetic data."""
