"""``avdetect serve`` and ``avdetect worker``: the service and the processes that judge for it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from avdetect.errors import UsageError

if TYPE_CHECKING:
    from avdetect.service.settings import DecodeLimits

Folder = Annotated[
    Path,
    typer.Option(
        "--dir", envvar="AVDETECT_SERVICE_DIR", metavar="DIR", help="The service's own folder."
    ),
]
Database = Annotated[
    str | None,
    typer.Option(
        "--db",
        envvar="AVDETECT_DB",
        metavar="URL",
        help="postgresql://user:password@host/name; default SQLite in DIR.",
        show_envvar=True,
    ),
]
ModelName = Annotated[
    str, typer.Option(envvar="AVDETECT_MODEL", metavar="NAME", help="Model bundle.")
]
DeviceName = Annotated[
    str, typer.Option(envvar="AVDETECT_DEVICE", metavar="auto|cpu|cuda", help="For the networks.")
]
KeepMedia = Annotated[
    float,
    typer.Option(
        envvar="AVDETECT_KEEP_MEDIA_HOURS", metavar="H", help="Keep clips this long once judged."
    ),
]
MaxMemory = Annotated[
    int,
    typer.Option(envvar="AVDETECT_MAX_MEMORY_MB", metavar="MB", help="Of one decoding process."),
]
MaxCpu = Annotated[
    int, typer.Option(envvar="AVDETECT_MAX_CPU_S", metavar="S", help="Of one decoding process.")
]
MaxMedia = Annotated[
    float,
    typer.Option(envvar="AVDETECT_MAX_MEDIA_MINUTES", metavar="MIN", help="Longest clip judged."),
]
DEFAULT_FOLDER = Path("avdetect-service")


@contextmanager
def service_extra() -> Iterator[None]:
    """Turn a missing package of the extra into one line that says how to get it.

    Raises:
        UsageError: a package is missing.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.startswith("avdetect"):
            raise
        raise UsageError(
            f'the service needs the package {error.name}: pip install "avdetect[service]"'
        ) from error


def serve(
    folder: Folder = DEFAULT_FOLDER,
    db: Database = None,
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8000,
    workers: Annotated[
        int, typer.Option(min=0, help="Judging processes; 0 if `avdetect worker` runs elsewhere.")
    ] = 1,
    live_calls: Annotated[
        int, typer.Option(min=0, help="Live calls judged at once, in the server itself.")
    ] = 0,
    model: ModelName = "default",
    device: DeviceName = "auto",
    max_queue: Annotated[int, typer.Option(help="Scans waiting before requests get 429.")] = 100,
    max_upload_mb: Annotated[int, typer.Option(metavar="MB", help="Largest clip.")] = 512,
    keep_media_hours: KeepMedia = 0.0,
    keep_results_days: Annotated[
        float, typer.Option(metavar="D", help="Keep scans and verdicts this long.")
    ] = 30.0,
    max_memory_mb: MaxMemory = 3072,
    max_cpu_s: MaxCpu = 1800,
    max_media_minutes: MaxMedia = 240.0,
    webhook: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PREFIX",
            help="Addresses that may be called back begin with this; may be given again. "
            "Signed with $AVDETECT_WEBHOOK_SECRET.",
        ),
    ] = None,
    tls_cert: Annotated[Path | None, typer.Option(metavar="PEM", help="Speak HTTPS.")] = None,
    tls_key: Annotated[Path | None, typer.Option(metavar="PEM")] = None,
) -> None:
    r"""Run the service: scans by HTTP, one verdict each, nothing lost when a process dies.

    \b
    Examples:
      avdetect keys create --owner fraud-desk
      avdetect serve --workers 2
      avdetect serve --db postgresql://avdetect@db/avdetect --host 0.0.0.0 --tls-cert … --tls-key …
    """
    with service_extra():
        from avdetect.service.serving import Address, serve
        from avdetect.service.settings import MEBIBYTE, ServiceSettings

    settings = ServiceSettings(
        folder=folder,
        db=db,
        model=model,
        device=device,
        max_queue=max_queue,
        max_upload_bytes=max_upload_mb * MEBIBYTE,
        keep_media_h=keep_media_hours,
        keep_results_d=keep_results_days,
        webhook_prefixes=tuple(webhook or ()),
        webhook_secret=os.environ.get("AVDETECT_WEBHOOK_SECRET"),
        limits=_limits(max_memory_mb, max_cpu_s, max_media_minutes),
    )
    address = Address(host=host, port=port, tls_cert=tls_cert, tls_key=tls_key)
    serve(settings, address, n_workers=workers, n_live_calls=live_calls)


def worker(
    folder: Folder = DEFAULT_FOLDER,
    db: Database = None,
    model: ModelName = "default",
    device: DeviceName = "auto",
    keep_media_hours: KeepMedia = 0.0,
    max_memory_mb: MaxMemory = 3072,
    max_cpu_s: MaxCpu = 1800,
    max_media_minutes: MaxMedia = 240.0,
    attached: Annotated[
        bool, typer.Option("--attached", help="Stop when standard input ends.")
    ] = False,
) -> None:
    """Judge scans of a service that runs elsewhere, on the same folder and database."""
    with service_extra():
        from avdetect.service.serving import work
        from avdetect.service.settings import ServiceSettings

    settings = ServiceSettings(
        folder=folder,
        db=db,
        model=model,
        device=device,
        keep_media_h=keep_media_hours,
        limits=_limits(max_memory_mb, max_cpu_s, max_media_minutes),
    )
    work(settings, attached=attached)


def _limits(memory_mb: int, cpu_s: int, media_minutes: float) -> DecodeLimits:
    from avdetect.service.settings import MEBIBYTE, DecodeLimits

    return DecodeLimits(memory_bytes=memory_mb * MEBIBYTE, cpu_s=cpu_s, media_s=media_minutes * 60)
