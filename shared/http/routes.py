"""The one kind of route: it authorizes first, takes no query parameter that it does not know, and answers HEAD."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from shared.events.wording import question
from shared.http.auth import Allowed
from shared.http.bodies import JsonRequest
from shared.http.problems import FieldError, invalid

_NONE = Dependant()


class StrictRoute(APIRoute):
    """A route that authorizes the caller, then refuses unknown query parameters, then reads the body as strict JSON."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the route's handler, behind its authorizers."""
        handler = super().get_route_handler()
        authorizers = [each.call for each in self.dependant.dependencies if isinstance(each.call, Allowed)]
        parameters = self.dependant.query_params
        known = {each.alias: get_origin(each.field_info.annotation) is list for each in parameters}

        async def strict(request: Request) -> Response:
            request = JsonRequest(request.scope, request.receive)
            for authorizer in authorizers:
                await authorizer.admit(request)
            if faults := list(_faults(request, known)):
                raise invalid(faults)
            if self.body_field is not None:
                await request.json()
            response = await handler(request)
            return _head_of(response) if request.method == "HEAD" else response

        return strict

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match HEAD where this route answers GET."""
        match, child_scope = super().matches(scope)
        return Match.FULL if match is Match.PARTIAL and self._is_head(scope) else match, child_scope

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer HEAD as GET, without the body."""
        if self._is_head(scope):
            await self.app(scope, receive, send)
        else:
            await super().handle(scope, receive, send)

    def _is_head(self, scope: Scope) -> bool:
        return bool(scope["method"] == "HEAD" and "GET" in (self.methods or ()))


def methods_of(routes: Sequence[Any], scope: Scope) -> list[str]:
    """Return every method that one of the routes answers at a request's address, for `Allow`."""
    methods: set[str] = set()
    for route in routes:
        if route.matches(scope)[0] is not Match.NONE:
            methods |= route.methods or set()
    return sorted(methods | ({"HEAD"} if "GET" in methods else set()))


def other_parameters(route: Any, name: str, word: object) -> str:
    """Return a hint that names the other parameters of a route whose closed lists have a word."""
    others = [other.alias for other in getattr(route, "dependant", _NONE).query_params if word in _words(other)]
    return f"; {', '.join(others)} takes it" if others and name not in others else ""


def _words(parameter: Any) -> set[object]:
    """Return the words of a parameter's closed list."""
    kinds = [parameter.field_info.annotation, *get_args(parameter.field_info.annotation)]
    return {word for kind in kinds if get_origin(kind) is Literal for word in get_args(kind)}


def _faults(request: Request, known: Mapping[str, bool]) -> Iterator[FieldError]:
    """Yield the faults of query parameters; `known` says of each whether it may be given several times."""
    names = Counter(name for name, _ in request.query_params.multi_items())
    for name, number in names.items():
        if name not in known:
            listed = f"; the parameters are {', '.join(known)}" if known else "; there are none"
            message = f"is not a parameter here{question(name, known) or listed}"
            yield FieldError.of(f"query.{name}", "unknown_parameter", message)
        elif number > 1 and not known[name]:
            yield FieldError.of(f"query.{name}", "given_twice", f"is given {number} times: give it once")


def _head_of(response: Response) -> Response:
    """Return the status and headers of a response alone; what it would stream is not read."""
    head = Response(status_code=response.status_code, background=response.background)
    head.raw_headers = list(response.raw_headers)
    return head
