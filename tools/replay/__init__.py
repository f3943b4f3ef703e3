"""Replay of a history in memory that does not grow with it: spool by stream, fold bucket by bucket, compose."""
