"""A verdict as one self-contained HTML page, written whole or not at all.

The page makes no request, runs no script and carries its pictures and sounds in itself. All text
passes through the template engine's escaping; the policy in its head forbids everything else.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from avdetect.calibration import probability
from avdetect.cues.session import CueExhibit
from avdetect.errors import OutputError
from avdetect.exhibits import AudioExhibit, Exhibits, SoundBite
from avdetect.report import charts, cue_charts, heat, pictures, sync_charts, words
from avdetect.types import Part
from avdetect.verdict import Model, Verdict

_TEMPLATES = Path(__file__).parent / "templates"
NO_EXHIBITS = Exhibits()
_PRIORS_SHOWN = (0.001, 0.01, 0.1, 0.5)
_WAVEFORM_HEIGHT = 60.0
_STRETCH_SIZE = (680.0, 160.0)  # of a spectrogram with patches; labels stand beside it


def prepare_folder(folder: Path) -> None:
    """Make the folder for reports; raises `OutputError` if nothing can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: no folder for reports: {error.strerror}") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"{folder}: reports cannot be written there; choose another folder")


def write_report(
    verdict: Verdict,
    folder: Path,
    *,
    exhibits: Exhibits = NO_EXHIBITS,
    sounds: Sequence[SoundBite] = (),
    cues: Sequence[CueExhibit] = (),
    media: bool = True,
) -> Path:
    """Write one clip's page into ``folder`` and return its path.

    The name is made of the clip's stem and its SHA-256; the page of an identical clip is
    rewritten, any other file is left alone.

    Args:
        verdict: what to report.
        folder: an existing folder, see `prepare_folder`.
        exhibits: pictures of sound and faces.
        sounds: stretches to listen to, and what of them carries their score.
        cues: what the cues drew.
        media: False leaves faces and sounds, heard or drawn, out of the page.

    Raises:
        OutputError: if the page could not be written whole; nothing partial is left.
    """
    page = render_page(verdict, exhibits=exhibits, sounds=sounds, cues=cues, media=media)
    path = _free_path(verdict, folder)
    part = folder / f".{path.stem[:40]}.{secrets.token_hex(8)}.part"
    try:
        with part.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(page)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: the report could not be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
    return path


def render_page(
    verdict: Verdict,
    *,
    exhibits: Exhibits = NO_EXHIBITS,
    sounds: Sequence[SoundBite] = (),
    cues: Sequence[CueExhibit] = (),
    media: bool = True,
    written_at: datetime | None = None,
) -> str:
    """The page as text; see `write_report` for the arguments."""
    shown = exhibits if media else NO_EXHIBITS
    duration_s = charts.clip_seconds(verdict, shown.audio)
    strongest = charts.strongest_fall(s.attribution for s in sounds if s.attribution is not None)
    kinds = {stream.kind for stream in verdict.input.streams}
    lanes = [
        *charts.together_lanes(verdict.fused_timeline, duration_s),
        *charts.timeline_lanes(verdict.timeline, duration_s),
    ]
    css = (_TEMPLATES / "page.css").read_text("utf-8")
    written_at = written_at or datetime.now(UTC)
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            verdict=verdict,
            still=bool(kinds) and kinds <= {"image"},
            media=media,
            css=css,
            style_hash=base64.b64encode(hashlib.sha256(css.encode()).digest()).decode(),
            clip_id=_clip_id(verdict),
            width=charts.WIDTH,
            span=charts.llr_span(verdict),
            ticks=charts.time_ticks(duration_s),
            lanes=[
                {"lane": lane, "marks": charts.lane_marks(verdict.evidence, lane, duration_s)}
                for lane in lanes
            ],
            posteriors=_posteriors(verdict),
            channels=[_channel_figure(item, verdict, duration_s) for item in shown.audio],
            faces=shown.faces,
            synchrony=sync_charts.sync_figures(exhibits.synchrony, verdict, media=media),
            masked_faces=shown.masked_faces,
            mask_meaning=heat.MEANING,
            cues=cue_charts.cue_sections(verdict, cues, media=media),
            cue_meaning=words.CUE_MEANING,
            cue_curve_size=cue_charts.CURVE_SIZE,
            sounds=[_sound_figure(bite, strongest) for bite in sounds],
            strongest=strongest,
            models=_models(verdict),
            reference_caveat=words.REFERENCE_CAVEAT,
            left_out=words.FACES_LEFT_OUT,
            written_at=written_at.strftime("%Y-%m-%d %H:%M UTC"),
            version=version("avdetect"),
        )
    )


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        branch=words.branch_words,
        clock=words.clock_words,
        banded=pictures.banded_spectrogram_uri,
        jpeg=pictures.jpeg_uri,
        llr=words.llr_words,
        masked=pictures.masked_face_uri,
        number=words.number_words,
        missing_similarity=words.missing_similarity,
        percent=words.percent_words,
        plain=words.plain,
        prior=words.prior_words,
        ratio=words.ratio_words,
        sentence=words.sentence,
        support=words.support_words,
        time=words.time_words,
        wav=pictures.wav_uri,
        worth=words.worth_words,
    )
    environment.globals.update(part=Part, max=max, min=min, abs=abs, **sync_charts.SIZES)
    return environment


def _channel_figure(exhibit: AudioExhibit, verdict: Verdict, duration_s: float) -> dict[str, Any]:
    length_s = exhibit.column_s * len(exhibit.envelope)
    return {
        "channel": exhibit.channel,
        "path": charts.envelope_path(exhibit, duration_s, _WAVEFORM_HEIGHT),
        "spectrogram": pictures.spectrogram_uri(exhibit.spectrogram),
        "width": charts.WIDTH * length_s / duration_s if duration_s > 0 else 0.0,
        "max_hz": exhibit.max_hz,
        "marks": charts.channel_marks(verdict.evidence, exhibit.channel, duration_s),
        "stretches": charts.stretch_marks(verdict.suspicious, exhibit.channel, duration_s),
    }


def _sound_figure(bite: SoundBite, strongest: float) -> dict[str, Any]:
    found = bite.attribution
    return {
        "bite": bite,
        "size": _STRETCH_SIZE,
        "ticks": charts.time_ticks(found.edges_s[-1]) if found else [],
        "patches": charts.attribution_patches(found, *_STRETCH_SIZE, strongest) if found else [],
    }


def _models(verdict: Verdict) -> list[Model]:
    speaker = verdict.reference.model if verdict.reference else None
    return [*verdict.models, *([speaker] if speaker else [])]


def _posteriors(verdict: Verdict) -> list[tuple[float, float]]:
    if verdict.fake_llr is None:
        return []
    priors = sorted({*_PRIORS_SHOWN, verdict.prior_fake})
    return [(prior, probability(verdict.fake_llr, prior)) for prior in priors]


def _free_path(verdict: Verdict, folder: Path) -> Path:
    clip_id, stem = _clip_id(verdict), _safe_stem(verdict.input.path)
    for digits in (12, 64):
        path = folder / f"{stem}-{clip_id[:digits]}.html"
        if not path.exists() or _is_page_of(path, clip_id):
            return path
    raise OutputError(f"{path}: another file has this name; choose another folder")


def _safe_stem(name: str) -> str:
    stem = "stdin" if name == "-" else Path(name).stem
    return re.sub(r"[^\w.-]+", "_", stem)[:40].strip("._-") or "clip"


def _clip_id(verdict: Verdict) -> str:
    path = verdict.input.path.encode("utf-8", "backslashreplace")
    return verdict.input.sha256 or hashlib.sha256(path).hexdigest()


def _is_page_of(path: Path, clip_id: str) -> bool:
    try:
        with path.open(encoding="utf-8", errors="replace") as stream:
            return f'<meta name="avdetect-clip" content="{clip_id}">' in stream.read(2000)
    except OSError:
        return False
