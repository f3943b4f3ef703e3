"""Errors of MongoDB, as errors of a command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pymongo.errors import ConfigurationError, OperationFailure, PyMongoError

from tools.client.errors import BadInput, Failure, Unreachable


@contextmanager
def mongodb_answers(option: str = "--mongodb") -> Iterator[None]:
    """Turn errors of MongoDB into BadInput, which names the option of the URI, Failure or Unreachable."""
    try:
        yield
    except ConfigurationError:
        raise BadInput(f"{option}: is no MongoDB URI.") from None
    except OperationFailure as failure:
        raise Failure(f"MongoDB refused: {failure.details and failure.details.get('errmsg')}.") from None
    except PyMongoError as error:
        raise Unreachable(f"MongoDB does not answer ({type(error).__name__}).") from None
