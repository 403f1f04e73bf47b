"""Routes on cases, served under the address of each programme: those that are the same for all are declared once."""

from collections.abc import Callable, Iterable
from inspect import Parameter, Signature
from typing import Any, Final, TypeVar

from fastapi import APIRouter, Request

from api.access import PROBLEMS_KEY, GuardedRoute
from cases.programme import Programme
from domain.routes import Operation

_F = TypeVar("_F", bound=Callable[..., Any])


def called(name: str, *problems: str) -> dict[str, Any]:
    """Return what names a route, and the codes that it refuses with beyond those that its kind implies."""
    return {"operation_id": name, "openapi_extra": {PROBLEMS_KEY: sorted(problems)}}


def says(operation: Operation, problems: Iterable[str] | None = None) -> dict[str, Any]:
    """Return how a declared call names and describes its route."""
    codes = operation.problems if problems is None else problems
    return {**called(operation.name, *codes), "summary": operation.summary, "description": operation.says}


def endpoint(does: Callable[..., Any], **given: Any) -> Callable[..., Any]:
    """Return what serves a route whose parameters are known only now: their types, by name."""

    async def serve(request: Request, **values: Any) -> Any:
        return await does(request, **values)

    said: Final = {"request": Request, **given}
    parameters = [Parameter(name, Parameter.KEYWORD_ONLY, annotation=kind) for name, kind in said.items()]
    serve.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    return serve


class ProgrammeRouter:
    """The routes of one programme."""

    def __init__(self, programme: Programme) -> None:
        self.programme = programme
        self._router = APIRouter(prefix=f"/v1/{programme.path}", route_class=GuardedRoute)

    @property
    def routes(self) -> list[Any]:
        """The routes, in the order in which they were added."""
        return self._router.routes

    def add(self, method: str, path: str, does: Callable[..., Any], *, operation_id: str, **said: Any) -> None:
        """Add a route under the programme's address; what it is called has the programme's own ending."""
        name = operation_id + self.programme.named
        if (answers := said.pop("answers", None)) is not None:
            said["response_model"] = answers(self.programme.views.published)
        self._router.add_api_route(path, does, methods=[method], operation_id=name, **said)
        route = self._router.routes[-1]
        assert isinstance(route, GuardedRoute)
        route.programme = self.programme


class CaseRoutes:
    """Routes on a case that are the same for all programmes."""

    def __init__(self, tag: str) -> None:
        self._tag = tag
        self._declared: list[tuple[str, str, Callable[..., Any], dict[str, Any]]] = []

    def get(self, path: str, **said: Any) -> Callable[[_F], _F]:
        """Declare what is read of a case, by the path behind its own; `answers` returns the programme's own model."""
        return self._declare("GET", path, said)

    def post(self, path: str, **said: Any) -> Callable[[_F], _F]:
        """Declare what is asked of a case, by the path behind its own."""
        return self._declare("POST", path, said)

    def add_to(self, router: ProgrammeRouter) -> None:
        """Serve them under the address of a programme."""
        for method, path, does, said in self._declared:
            router.add(method, f"/{{reference}}{path}", does, tags=[self._tag], **said)

    def _declare(self, method: str, path: str, said: dict[str, Any]) -> Callable[[_F], _F]:
        def keep(does: _F) -> _F:
            self._declared.append((method, path, does, said))
            return does

        return keep


def programme_in(request: Request) -> Programme:
    """Return the programme under whose address a route was called."""
    programme = request.scope["route"].programme
    assert isinstance(programme, Programme), "a route on cases is served under a programme"
    return programme
