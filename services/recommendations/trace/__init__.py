"""The trace document: a recommendation's mandates, work, outcome, and the events behind every statement."""

from services.recommendations.trace.compose import SHAPE, compose, needs, phase_of, trace_bytes

__all__ = ["SHAPE", "compose", "needs", "phase_of", "trace_bytes"]
