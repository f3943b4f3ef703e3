"""The trace document: what a recommendation rests on, what became of it, and the events behind every statement."""

from services.recommendations.trace.compose import SHAPE, compose, needs, trace_bytes

__all__ = ["SHAPE", "compose", "needs", "trace_bytes"]
