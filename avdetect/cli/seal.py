"""``avdetect seal`` and ``avdetect verify``: is a recording untouched, and where is it not?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from avdetect.cli import exit_codes
from avdetect.cli.interrupt import interruptible
from avdetect.cli.progress import ReportProgress, progress_bar, wants_bar
from avdetect.cli.streams import own_streams
from avdetect.errors import InputError, UsageError
from avdetect.report.words import plain

if TYPE_CHECKING:
    from avdetect.media.source import RawFormat
    from avdetect.provenance.verification import Verification

SEAL_HELP = """Seal a recording, so that anybody can later tell whether, and where, it was changed.

The seal is a small file beside the recording (FILE.seal): hashes of its packets, prints of what \
is heard and seen second by second, and your signature. The recording itself is not touched. Keep \
the seal as confidential as the recording: it holds coarse traits of it.

\b
Examples:
  avdetect seal --new-key desk.pem               make desk.pem and desk.pem.pub, once
  avdetect seal interview.mp4 --key desk.pem     write interview.mp4.seal
  avdetect seal call.raw --format ulaw --rate 8000 --key desk.pem
  AVDETECT_SEAL_KEY=desk.pem avdetect seal photo.jpg --out seals/photo.seal

\b
Exit codes:
  0    sealed
  2    wrong usage, no key, or the seal could not be written
  3    the file could not be read
"""

VERIFY_HELP = """Hold a recording against its seal: untouched, re-encoded or edited, and where.

\b
Examples:
  avdetect verify interview.mp4 --public-key desk.pem.pub
  avdetect verify from-the-web.mkv --seal interview.mp4.seal --public-key desk.pem.pub
  avdetect verify interview.mp4 --public-key desk.pem.pub --json

\b
Exit codes:
  0    untouched: every byte is as it was sealed
  1    edited: something was altered, cut out or inserted, or it is another recording
  4    the same content in other bytes: another container, or re-encoded
  2    wrong usage, or no public key
  3    it could not be verified: the file or the seal cannot be read, the seal was tampered with, \
or another key made it
"""

_HEADLINES = {
    "untouched": "UNTOUCHED: every byte is as it was sealed",
    "remuxed": "SAME CONTENT: another container around the same packets",
    "re-encoded": "SAME CONTENT: re-encoded, not edited",
    "edited": "EDITED since it was sealed",
    "unrelated": "NOT WHAT WAS SEALED: another recording, or all of it was replaced",
}
_CODES = {
    "untouched": exit_codes.OK,
    "remuxed": exit_codes.SAME_CONTENT,
    "re-encoded": exit_codes.SAME_CONTENT,
}
_Result = TypeVar("_Result")

RawOption = Annotated[
    str | None,
    typer.Option(
        "--format", metavar="ulaw|alaw|s16le", help="It is headerless sound of this kind."
    ),
]
RateOption = Annotated[
    int | None,
    typer.Option("--rate", metavar="HZ", help="Samples a second of headerless sound."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")]


def seal(  # noqa: PLR0913, PLR0917  (one parameter per option)
    file: Annotated[Path | None, typer.Argument(metavar="FILE", show_default=False)] = None,
    key: Annotated[
        Path | None,
        typer.Option(
            metavar="KEY", envvar="AVDETECT_SEAL_KEY", help="Private key (PEM) to sign with."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE.seal", help="Where to write; default FILE.seal.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Overwrite a seal.")] = False,
    new_key: Annotated[
        Path | None,
        typer.Option(
            metavar="KEYFILE", help="Make a key pair: KEYFILE, and KEYFILE.pub beside it."
        ),
    ] = None,
    raw_format: RawOption = None,
    rate: RateOption = None,
    quiet: Quiet = False,
) -> None:
    """See `SEAL_HELP`."""
    if new_key is not None:
        _new_key(new_key)
        if file is None:
            return
        key = key or new_key
    if file is None:
        raise UsageError("name the FILE to seal, or make a key with --new-key KEYFILE")
    if key is None:
        raise UsageError("give the private key with --key; make one with --new-key KEYFILE")
    raw = _raw(raw_format, rate)
    from avdetect.provenance.seal import SEAL_SUFFIX, check_target, write_seal
    from avdetect.provenance.sealing import make_seal
    from avdetect.provenance.signing import key_fingerprint, load_private_key

    target = out or _beside(file, SEAL_SUFFIX)
    signer = load_private_key(key)
    check_target(target, file, replace=replace, key=key)
    made = _shown(
        file,
        "sealing",
        lambda progress: make_seal(file, signer, raw=raw, progress=progress),
        quiet=quiet,
    )
    write_seal(made, target, replace=replace)
    fingerprint = key_fingerprint(bytes.fromhex(made.signature.public_key))
    typer.echo(f"{_name(target)}: sealed {_name(file)} with key {fingerprint}")
    if made.n_bad_packets:
        typer.echo(f"    note: {made.n_bad_packets} damaged packets could not be decoded")


def verify(  # noqa: PLR0913, PLR0917  (one parameter per option)
    file: Annotated[Path, typer.Argument(metavar="FILE", show_default=False)],
    public_key: Annotated[
        Path, typer.Option(metavar="PUB", help="Public key (PEM) of the signer you trust.")
    ],
    seal_path: Annotated[
        Path | None, typer.Option("--seal", metavar="FILE.seal", help="Default FILE.seal.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    raw_format: RawOption = None,
    rate: RateOption = None,
    quiet: Quiet = False,
) -> None:
    """See `VERIFY_HELP`."""
    raw = _raw(raw_format, rate)
    from avdetect.provenance.seal import SEAL_SUFFIX, read_seal
    from avdetect.provenance.signing import load_public_key, raw_public_key
    from avdetect.provenance.verifying import require_signer, verify_file

    path = seal_path or _beside(file, SEAL_SUFFIX)
    trusted = raw_public_key(load_public_key(public_key))
    found = read_seal(path)
    require_signer(found, trusted, _name(path))
    result = _shown(
        file,
        "verifying",
        lambda progress: verify_file(file, found, raw=raw, progress=progress),
        quiet=quiet,
    )
    if json:
        typer.echo(result.to_json())
    else:
        for line in verification_lines(result):
            typer.echo(line)
    raise typer.Exit(_CODES.get(result.outcome.value, exit_codes.FAIL_ON))


def verification_lines(result: Verification) -> Iterator[str]:
    """What is printed: the outcome, then findings, re-encoded seconds and notes."""
    from avdetect.provenance.findings_text import clock

    yield f"{plain(result.path)}: {_HEADLINES[result.outcome.value]}"
    facts = result.seal
    yield (
        f"    sealed as {plain(facts.sealed_name)} by key {facts.signer}, "
        f"{plain(facts.made_at)} by that machine's clock"
    )
    for finding in result.findings:
        yield f"    {plain(finding.text)}"
    for stretch in result.re_encoded:
        span = f"{clock(stretch.start_s)} to {clock(stretch.end_s)}"
        yield f"    Re-encoded, with the same content: sealed seconds {span}."
    for chain in result.intact:
        yield (
            f"    packets as sealed and in their place: {chain.n_intact} of {chain.n_seconds} "
            f"seconds ({plain(chain.stream)})"
        )
    for note in result.notes:
        yield f"    note: {plain(note)}"


def _new_key(path: Path) -> None:
    from avdetect.provenance.signing import (
        key_fingerprint,
        load_private_key,
        new_key_pair,
        raw_public_key,
    )

    public = new_key_pair(path)
    fingerprint = key_fingerprint(raw_public_key(load_private_key(path).public_key()))
    typer.echo(f"{_name(path)}: private key {fingerprint}; guard it, it is not encrypted")
    typer.echo(f"{_name(public)}: public key, for everybody who verifies")


def _beside(file: Path, suffix: str) -> Path:
    if file.is_dir():
        raise InputError(f"{_name(file)}: is a folder; name the recording in it")
    return file.with_name(file.name + suffix)


def _raw(raw_format: str | None, rate_hz: int | None) -> RawFormat | None:
    if (raw_format is None) != (rate_hz is None):
        raise UsageError("--format and --rate go together: raw input has no header to read")
    if raw_format is None or rate_hz is None:
        return None
    from avdetect.media.source import RawFormat

    return RawFormat(raw_format, rate_hz)


def _shown(
    file: Path, what: str, work: Callable[[ReportProgress], _Result], *, quiet: bool
) -> _Result:
    """Do the work with a progress bar where somebody looks, and end at once on Ctrl-C."""
    with own_streams(), interruptible() as check, _bar(_name(file), what, quiet=quiet) as show:

        def progress(done_s: float, total_s: float | None) -> None:
            check()
            show(done_s, total_s)

        result = work(progress)
        check()
        return result


@contextmanager
def _bar(name: str, what: str, *, quiet: bool) -> Iterator[ReportProgress]:
    if not wants_bar(quiet=quiet):
        yield lambda done_s, total_s: None
        return
    with progress_bar(name, what) as show:
        yield show


def _name(path: Path) -> str:
    from avdetect.media.source import display_path

    return plain(display_path(path))
