"""Traces of OpenTelemetry, from a request to the documents made of it (docs/tracing.md)."""
