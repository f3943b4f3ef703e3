"""The limit of every wait in a test: a guard against a hang, far above what a busy machine takes."""

AT_MOST_SECONDS = 300.0
