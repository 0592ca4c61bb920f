"""What all routes share, and how they find out who asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.exc import DBAPIError

from avdetect.service import refusals
from avdetect.service.keys import Caller, Scope, authenticate
from avdetect.service.settings import ServiceSettings
from avdetect.service.store import Store

_BEARER = HTTPBearer(auto_error=False, description="An API key: avd_…")


class ServiceState:
    """Settings and store of one running service."""

    def __init__(self, settings: ServiceSettings, store: Store) -> None:
        self.settings, self.store = settings, store


@contextmanager
def answering() -> Iterator[None]:
    """Turn a database that is away, or a full disk under it, into an answer a client can act on."""
    try:
        yield
    except DBAPIError as error:
        if "disk is full" in str(error.orig) or "No space left" in str(error.orig):
            raise refusals.no_space() from error
        raise refusals.no_database() from error


def state_of(request: Request) -> ServiceState:
    """The service's state, for routes."""
    state: ServiceState = request.app.state.service
    return state


def caller_with(scope: Scope) -> Callable[..., Caller]:
    """A dependency: the caller, if the key is valid and has the scope."""

    def find_caller(
        request: Request,
        given: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)],
    ) -> Caller:
        if given is None:
            raise refusals.not_authenticated()
        with answering(), state_of(request).store.reading() as session:
            caller = authenticate(session, given.credentials)
        if caller is None:
            raise refusals.not_authenticated()
        if scope not in caller.scopes:
            raise refusals.not_allowed(scope)
        request.state.key_id = caller.key_id
        return caller

    return find_caller


State = Annotated[ServiceState, Depends(state_of)]
Submitter = Annotated[Caller, Depends(caller_with(Scope.SUBMIT))]
Reader = Annotated[Caller, Depends(caller_with(Scope.READ))]
Deleter = Annotated[Caller, Depends(caller_with(Scope.DELETE))]
Admin = Annotated[Caller, Depends(caller_with(Scope.ADMIN))]
