"""Queries beyond the folded states and the stored trace: lists of traces, coverage, proceedings, what waits."""
