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
from avdetect.cli.keys import keys
from avdetect.cli.serve import serve, worker
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
app.command("batch", help=BATCH_HELP)(batch)
app.command("trace", help=TRACE_HELP)(trace)
