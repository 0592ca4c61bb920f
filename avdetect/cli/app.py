"""The commands, their options and help, and the one place where errors become exit codes."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import TyperException

from avdetect.cli import exit_codes
from avdetect.cli.audit import audit
from avdetect.cli.batch import BATCH_HELP, batch
from avdetect.cli.cues import CUES_HELP, cues
from avdetect.cli.defend import DEFEND_HELP, defend
from avdetect.cli.keys import keys
from avdetect.cli.provenance import PROVENANCE_HELP, provenance
from avdetect.cli.seal import SEAL_HELP, VERIFY_HELP, seal, verify
from avdetect.cli.serve import serve, worker
from avdetect.cli.streams import open_closed_streams
from avdetect.cli.trace import TRACE_HELP, trace
from avdetect.errors import AvdetectError
from avdetect.report.words import plain

_SCAN_HELP = """Judge clips: is the voice cloned, the face forged, the mouth out of step?

PATH is a sound, video or picture file, a folder (searched for media, in sorted order), or - for \
standard input. Every clip gets one verdict: FAKE, REAL or INCONCLUSIVE, with a log-likelihood \
ratio (LLR; above 0 favours fake) and the probability of fake at the stated prior.

\b
Examples:
  avdetect scan call.wav
  avdetect scan interview.mp4 --report reports/
  avdetect scan interview.mp4 --evidence-video seen.mp4
  avdetect scan inbox/ --json > verdicts.jsonl
  avdetect scan call.wav --channel left --prior-fake 0.01
  avdetect scan call.wav --reference customer.wav
  avdetect scan trunk.raw --format ulaw --rate 8000
  cat call.wav | avdetect scan - --fail-on fake --quiet

\b
Exit codes, the first that holds:
  2    wrong usage, or the model is missing or damaged
  1    --fail-on fake was given and a clip was judged fake
  3    some input could not be judged (unreadable, or inconclusive)
  0    every input was judged
  130  interrupted with Ctrl-C
"""

_STREAM_HELP = """Judge a call while it lasts: raw sound on standard input, JSON Lines out.

Each leg is judged on its own: first after 2 s of speech, then with every further second; what it \
says is what a scan of the sound so far would say. At the end every leg gets its verdict.

\b
Examples:
  avdetect stream < call.ul
  avdetect stream --format s16le --rate 16000 --track left --track right < call.raw
  arecord -t raw -f S16_LE -r 16000 | avdetect stream --format s16le --rate 16000
  avdetect stream --stop-at 0.99 --fail-on fake < call.ul

\b
Exit codes: those of avdetect scan. Ctrl-C ends the call; its verdicts follow, and 130.
"""

app = typer.Typer(
    name="avdetect",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Tell whether a call, voice message, video or picture was forged, and show why.",
    epilog="Start with: avdetect scan FILE. Check the installation with: avdetect doctor.",
)
models = typer.Typer(rich_markup_mode=None, help="The trained models: list, show, verify.")
app.add_typer(models, name="models")


class Device(StrEnum):
    """Where the networks run."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


class RawFormat(StrEnum):
    """Encodings of headerless telephone sound."""

    ULAW = "ulaw"
    ALAW = "alaw"
    S16LE = "s16le"


class Layout(StrEnum):
    """Published checkpoints that can be imported."""

    AASIST = "aasist"
    XLSR_AASIST = "xlsr-aasist"
    AV_HUBERT = "av_hubert"


class FailOn(StrEnum):
    """Decisions that make the call exit with 1."""

    FAKE = "fake"


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"avdetect {installed_version('avdetect')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    pass


@app.command("scan", help=_SCAN_HELP)
def _scan(
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", show_default=False)],
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object per clip and line, nothing else.")
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write one self-contained HTML page per clip into DIR."),
    ] = None,
    no_media: Annotated[
        bool, typer.Option("--no-media", help="Leave faces and sound out of the pages.")
    ] = False,
    evidence_video: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT.mp4",
            help="Write the clip as a video to watch: faces boxed, the places that look forged "
            "coloured, scores and verdict below, with its sound. One video at a time.",
        ),
    ] = None,
    frames: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT.csv",
            help="Write what is said of every 20 ms of voices and faces as a table: uncalibrated "
            "scores that say where, never whether.",
        ),
    ] = None,
    prior_fake: Annotated[
        float,
        typer.Option(metavar="P", help="How probable a fake is before looking, between 0 and 1."),
    ] = 0.5,
    channel: Annotated[
        str, typer.Option(metavar="left|right|N|all", help="Which sound channels to judge.")
    ] = "all",
    reference: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Compare the voices with this recording of the person they claim."
        ),
    ] = None,
    cues: Annotated[
        str,
        typer.Option(
            metavar="all|none|NAME,…",
            help="Forensic measurements beside the branches; default all that are cheap.",
        ),
    ] = "default",
    fail_on: Annotated[
        FailOn | None, typer.Option(help="Exit with 1 if a clip gets this decision.")
    ] = None,
    raw_format: Annotated[
        RawFormat | None, typer.Option("--format", help="Inputs are headerless sound of this kind.")
    ] = None,
    rate: Annotated[
        int | None,
        typer.Option(metavar="HZ", help="Samples a second of headerless sound, with --format."),
    ] = None,
    model: Annotated[
        str, typer.Option(metavar="NAME", help="Model bundle, or the path of a bundle file.")
    ] = "default",
    speaker_model: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="For --reference: folder of speechbrain's ECAPA-TDNN, else "
            "$AVDETECT_SPEAKER_MODEL.",
        ),
    ] = None,
    device: Annotated[Device, typer.Option(help="Where the networks run.")] = Device.AUTO,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="One line per clip, no progress bar.")
    ] = False,
) -> None:
    from avdetect.cli.scan import ScanRequest, run_scan

    request = ScanRequest(
        model=model,
        device=device.value,
        prior_fake=prior_fake,
        channel=channel,
        cues=cues,
        raw_format=raw_format.value if raw_format else None,
        rate_hz=rate,
        reference=reference,
        speaker_model=speaker_model,
        json=json,
        report=report,
        media=not no_media,
        evidence_video=evidence_video,
        frames=frames,
        fail_on_fake=fail_on is FailOn.FAKE,
        quiet=quiet,
    )
    raise typer.Exit(run_scan(paths, request))


@app.command("stream", help=_STREAM_HELP)
def _stream(
    raw_format: Annotated[
        RawFormat, typer.Option("--format", help="Encoding of the sound.")
    ] = RawFormat.ULAW,
    rate: Annotated[
        int, typer.Option(metavar="HZ", help="Samples a second of each leg: 8000 or 16000.")
    ] = 8_000,
    track: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Name of a leg; twice where two legs are interleaved."),
    ] = None,
    prior_fake: Annotated[
        float, typer.Option(metavar="P", help="How probable a fake is before listening.")
    ] = 0.5,
    stop_at: Annotated[
        float | None,
        typer.Option(metavar="P", help="Judge a leg for good at this confidence, such as 0.99."),
    ] = None,
    fail_on: Annotated[
        FailOn | None, typer.Option(help="Exit with 1 if a leg gets this decision.")
    ] = None,
    model: Annotated[
        str, typer.Option(metavar="NAME", help="Model bundle, or the path of a bundle file.")
    ] = "default",
    device: Annotated[Device, typer.Option(help="Where the networks run.")] = Device.AUTO,
) -> None:
    from avdetect.cli.stream import StreamRequest, run_stream
    from avdetect.streaming.options import StreamOptions

    options = StreamOptions(
        encoding=raw_format.value,
        rate_hz=rate,
        tracks=tuple(track or ["mono"]),
        prior_fake=prior_fake,
        stop_at=stop_at,
        name="-",
    )
    request = StreamRequest(
        options=options,
        model=model,
        device=device.value,
        fail_on_fake=fail_on is FailOn.FAKE,
    )
    raise typer.Exit(run_stream(request))


app.command("batch", help=BATCH_HELP)(batch)
app.command("cues", help=CUES_HELP)(cues)
app.command("trace", help=TRACE_HELP)(trace)
app.command("seal", help=SEAL_HELP)(seal)
app.command("verify", help=VERIFY_HELP)(verify)
app.command("provenance", help=PROVENANCE_HELP)(provenance)
app.command("defend", help=DEFEND_HELP)(defend)
app.command("serve")(serve)
app.command("worker")(worker)
app.add_typer(keys, name="keys")
app.add_typer(audit, name="audit")


@app.command("doctor")
def _doctor() -> None:
    """Check the installation: packages, device, models and one timed self-test."""
    from avdetect.cli.health import run_doctor

    raise typer.Exit(run_doctor())


@models.command("list")
def _models_list() -> None:
    """List the models at hand and the bundles that use them."""
    from avdetect.cli.models import list_models

    list_models()


@models.command("show")
def _models_show(name: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """Show the card of a model: what it was trained on, how good it is, its limits."""
    from avdetect.cli.models import show_model

    show_model(name)


@models.command("verify")
def _models_verify(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", show_default=False)] = None,
) -> None:
    """Check the weights of one model or bundle (default: all) against their SHA-256."""
    from avdetect.cli.models import verify_models

    raise typer.Exit(verify_models(name))


@models.command("import")
def _models_import(
    layout: Annotated[Layout, typer.Argument(help="Whose layout the file has.")],
    path: Annotated[Path, typer.Argument(metavar="FILE")],
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of the new model; default the file's name.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Models folder; default the one in use.")
    ] = None,
) -> None:
    """Bring published weights into the form of ours: of the voice or the lip-sync branch.

    aasist: AASIST.pth, AASIST-L.pth of github.com/clovaai/aasist.

    xlsr-aasist: checkpoints of github.com/TakHemlata/SSL_Anti-spoofing.

    av_hubert: base_vox_iter5.pt and others of github.com/facebookresearch/av_hubert;
    recipes.lip_sync trains its head.
    """
    from avdetect.cli.models import import_model

    import_model(layout.value, path, name, out)


def main() -> None:
    """Entry point of the command: every error becomes one line and an exit code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line; returns the exit code, never raises for what a user can cause."""
    open_closed_streams()
    try:
        code = app(arguments or ["--help"], prog_name="avdetect", standalone_mode=False)
        sys.stdout.flush()
    except TyperException as error:
        return _fail(f"{error.format_message()} (see --help)", exit_codes.USAGE)
    except AvdetectError as error:
        return _fail(str(error), error.exit_code)
    except (BrokenPipeError, SystemExit):  # typer and rich answer a closed pipe with SystemExit
        # whoever read us has enough: say nothing, not even at interpreter exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exit_codes.BROKEN_PIPE
    except (KeyboardInterrupt, typer.Abort):
        return _fail("interrupted", exit_codes.INTERRUPTED)
    except Exception as error:  # the last door: a bug is told, not dumped on a user
        if os.environ.get("AVDETECT_DEBUG"):
            raise
        hint = "this is a bug in avdetect; AVDETECT_DEBUG=1 shows where"
        return _fail(f"{type(error).__name__}: {error} ({hint})", exit_codes.NOT_JUDGED)
    return code if isinstance(code, int) else 0


def _fail(message: str, code: int) -> int:
    typer.echo(f"avdetect: {plain(message)}", err=True)
    return code
