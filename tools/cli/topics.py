"""`throughline topics`: the topics of Kafka, which no service may make."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from tools.client.connection import Home, Kafka, configured_kafka
from tools.client.errors import Failure, Unreachable, exits
from tools.client.stack_home import DEFAULT_HOME, StackHome
from tools.deployment import topics
from tools.deployment.messages import CannotStart
from tools.render.terminal import print_line


def ensure(
    kafka: Kafka = None,
    profile: Annotated[
        Literal["local", "deployed"] | None,
        typer.Option(
            help="Copies of each record: of one node, or of a cluster of three brokers or more.",
            show_default="deployed; local on the local stack",
        ),
    ] = None,
    home: Home = DEFAULT_HOME,
) -> None:
    """Create the topics of deploy/topics.yaml that are missing, and name each that differs; it can be run again.

    Example: throughline topics ensure --kafka broker:9092

    The administrator is the user of THROUGHLINE_KAFKA_USER and THROUGHLINE_KAFKA_PASSWORD (or its _FILE). A topic that
    exists is never changed: not its partitions, for the order of a stream would break, and not its settings.

    Exit code: 0 when the topics are as declared; 1 when one differs, or Kafka does not answer; 2 for bad input; 3 when
    no stack and no Kafka is named.
    """
    with exits():
        declared = topics.declared(profile=profile or ("deployed" if kafka else "local"))
        try:
            access = configured_kafka(kafka) if kafka else StackHome(home).kafka_admin()
            topics.ensure(access, declared)
        except LookupError:
            raise Unreachable("Nothing says where Kafka is: name it (--kafka HOST:PORT), or start a stack.") from None
        except CannotStart as failure:
            raise Failure(str(failure)) from None
        print_line(f"Topics are as declared: {', '.join(declared.partitions)}.")
