"""A typed client of the service, in a blocking and an asynchronous form.

from avdetect.client import Client

with Client("http://127.0.0.1:8000", key) as client:
    verdict = client.scan("call.wav")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from avdetect.errors import UsageError

if TYPE_CHECKING:
    from avdetect.client.asynchronous import AsyncClient
    from avdetect.client.blocking import Client
    from avdetect.client.signature import verify_webhook

__all__ = ["AsyncClient", "Client", "verify_webhook"]

_LAZY = {
    "AsyncClient": "avdetect.client.asynchronous",
    "Client": "avdetect.client.blocking",
    "verify_webhook": "avdetect.client.signature",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    try:
        return getattr(import_module(_LAZY[name]), name)
    except ModuleNotFoundError as error:
        raise UsageError(
            f'the client needs the package {error.name}: pip install "avdetect[service]"'
        ) from error
