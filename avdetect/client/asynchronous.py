"""`AsyncClient`: as `Client`, for programs on asyncio."""

from __future__ import annotations

import asyncio
import ssl
import time
from types import TracebackType
from typing import Any, Self

import httpx

from avdetect.client import requests
from avdetect.client.requests import Ask, Media
from avdetect.client.wire import ModelInUse, ScanPage, ScanResource, ScanState
from avdetect.errors import ServiceError
from avdetect.verdict import Verdict

_ANSWER_S = 60.0
_WAIT_AT_ONCE_S = 30.0


class AsyncClient:
    """As `Client`; every method is awaited.

    Example:
        >>> async with AsyncClient("https://avdetect.bank.example", key) as client:
        ...     verdict = await client.scan("call.wav", prior_fake=0.01)
    """

    def __init__(self, address: str, key: str, *, verify: ssl.SSLContext | bool = True) -> None:
        """Prepare connections; nothing is sent yet.

        Args:
            address: of the service, such as ``http://127.0.0.1:8000``.
            key: an API key.
            verify: a context that knows your own certificates; False trusts anybody.
        """
        headers = {"Authorization": f"Bearer {key}"}
        self._http = httpx.AsyncClient(
            base_url=address, headers=headers, timeout=_ANSWER_S, verify=verify
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Let go of the connections."""
        await self._http.aclose()

    async def scan(self, media: Media, *, timeout_s: float = 600.0, **options: Any) -> Verdict:
        """Hand in a clip and wait for its verdict.

        Args:
            media: a path, bytes, or a binary file object.
            timeout_s: how long to wait in all.
            options: ``prior_fake``, ``channel``, ``cues``, ``format``, ``rate``, as of `Detector`.

        Raises:
            InputNotFoundError: no such file.
            UsageError: the options make no sense.
            ServiceError: refused, unreachable, or not done in time.
        """
        scan = await self.submit(media, **options)
        return await self.wait(scan.id, timeout_s=timeout_s)

    async def submit(
        self,
        media: Media,
        *,
        idempotency_key: str | None = None,
        webhook: str | None = None,
        **options: Any,
    ) -> ScanResource:
        """Hand in a clip and return at once; tried again where it makes sense, never made twice.

        Args:
            media: a path, bytes, or a binary file object.
            idempotency_key: the same key never makes two scans; one is made up if None.
            webhook: address that the service calls when the scan is done.
            options: as of `scan`.
        """
        ask = requests.submission(media, options, idempotency_key, webhook)
        return ScanResource.model_validate_json((await self._send(ask)).content)

    async def wait(self, scan_id: str, *, timeout_s: float = 600.0) -> Verdict:
        """Wait until a scan is done.

        Raises:
            ServiceError: it is not done in time, or not there.
        """
        ends_at = time.monotonic() + timeout_s
        while (left_s := ends_at - time.monotonic()) > 0:
            scan = await self.get(scan_id, wait_s=min(left_s, _WAIT_AT_ONCE_S))
            if scan.state is ScanState.DONE and scan.verdict is not None:
                return scan.verdict
        raise ServiceError(f"scan {scan_id} was not done in {timeout_s:g} s: ask again later")

    async def get(self, scan_id: str, *, wait_s: float = 0.0) -> ScanResource:
        """A scan as it stands, or as soon as it is done."""
        answer = await self._send(requests.looking(scan_id, wait_s))
        return ScanResource.model_validate_json(answer.content)

    async def report(self, scan_id: str) -> str:
        """The verdict as an HTML page."""
        return (await self._send(Ask(method="GET", path=f"/v1/scans/{scan_id}/report"))).text

    async def delete(self, scan_id: str) -> None:
        """Forget a scan."""
        await self._send(Ask(method="DELETE", path=f"/v1/scans/{scan_id}"))

    async def list(self, **filters: Any) -> ScanPage:
        """Scans, newest first.

        Args:
            filters: ``state``, ``decision``, ``created_after``, ``created_before``, ``limit``, and
                ``cursor``, the ``next`` of the page before.
        """
        return ScanPage.model_validate_json((await self._send(requests.listing(filters))).content)

    async def model(self) -> ModelInUse:
        """The model that workers judge with."""
        return ModelInUse.model_validate_json(
            (await self._send(Ask(method="GET", path="/v1/model"))).content
        )

    async def _send(self, ask: Ask) -> httpx.Response:
        tries = 0
        while True:
            tries += 1
            answer, failure = None, None
            try:
                answer = await self._http.request(
                    ask.method,
                    ask.path,
                    params=dict(ask.params),
                    headers=dict(ask.headers),
                    content=ask.content,
                    timeout=_ANSWER_S + ask.wait_s,
                )
            except httpx.HTTPError as error:
                failure = error
            pause_s = requests.pause_s(answer, tries)
            if pause_s is not None:
                await asyncio.sleep(pause_s)
            elif answer is not None:
                return requests.checked(answer)
            elif failure is not None:
                raise requests.unreachable(failure) from failure
