"""The start and the end of tracing in a process, by the variables that OpenTelemetry itself names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.runtime.settings import read
from shared.runtime.version import version
from shared.tracing import spans


class TracingSettings(BaseSettings):
    """The settings of tracing; the SDK reads others of the same prefix, such as those of its exporter's headers."""

    model_config = SettingsConfigDict(env_prefix="OTEL_", frozen=True)

    exporter_otlp_endpoint: str = Field(
        "", pattern=r"^(https?://\S+)?$", description="address of a collector, OTLP over HTTP; left out: no tracing"
    )
    traces_sampler_arg: float = Field(
        0.05, ge=0, le=1, description="share of requests that are traced, unless their caller decided"
    )


@contextmanager
def traced(process: str, instance: str, deployment: str = "") -> Iterator[None]:
    """Trace this process until the end, if a collector is named. Raises CannotStart."""
    settings = read(TracingSettings)
    if settings.exporter_otlp_endpoint:
        described = {
            "service.name": f"throughline-{process}",
            "service.instance.id": instance,
            "service.version": version(),
            "deployment.environment.name": deployment,
        }
        spans.start({name: value for name, value in described.items() if value}, settings.traces_sampler_arg)
    try:
        yield
    finally:
        spans.stop()
