"""Errors of MongoDB, as errors of a command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pymongo.errors import ConfigurationError, OperationFailure, PyMongoError

from tools.client.errors import BadInput, Failure, Unreachable
from tools.client.mongodb_client import FORM, UnusableUri, outage, refusal


@contextmanager
def mongodb_answers(option: str = "--mongodb") -> Iterator[None]:
    """Turn errors of MongoDB into BadInput, which names the option of the URI, Failure or Unreachable."""
    try:
        yield
    except UnusableUri as fault:
        raise BadInput(f"{option}: {fault}.") from None
    except ConfigurationError:
        raise BadInput(f"{option}: {FORM}.") from None
    except OperationFailure as failure:
        raise Failure(f"MongoDB refused: {refusal(failure)}.") from None
    except PyMongoError as error:
        raise Unreachable(f"MongoDB does not answer: {outage(error)}.") from None
