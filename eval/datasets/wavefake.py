"""WaveFake: LJSpeech and JSUT copied through neural vocoders, and one text-to-speech system."""

from __future__ import annotations

from pathlib import Path

from eval.datasets.base import Citation, Dataset
from eval.errors import ManifestError
from eval.manifest.row import ManifestRow

_LJ, _JSUT = ("LJ", "en", 22050), ("JSUT", "ja", 24000)
_VOICES = {
    "ljspeech_melgan": _LJ,
    "ljspeech_melgan_large": _LJ,
    "ljspeech_full_band_melgan": _LJ,
    "ljspeech_multi_band_melgan": _LJ,
    "ljspeech_parallel_wavegan": _LJ,
    "ljspeech_hifiGAN": _LJ,
    "ljspeech_waveglow": _LJ,
    "common_voices_prompts_from_conformer_fastspeech2_pwg_ljspeech": _LJ,
    "jsut_multi_band_melgan": _JSUT,
    "jsut_parallel_wavegan": _JSUT,
}
_REAL = {"LJSpeech-1.1/wavs": _LJ, "jsut_ver1.1/basic5000/wav": _JSUT}
_TTS = "common_voices_prompts_"


def read(root: Path) -> list[ManifestRow]:
    """A row for every sound file; there is no list, so a missing file cannot be told.

    ``source`` is the utterance that was copied, so that a copy and its original stand together.
    The human side is LJSpeech and JSUT, where they lie beside the generated audio.
    """
    generated = root / "generated_audio"
    if not generated.is_dir():
        raise ManifestError(f"{generated} is not there: expected WaveFake's generated_audio.zip")
    folders = sorted(path for path in generated.iterdir() if path.is_dir())
    unknown = [folder.name for folder in folders if folder.name not in _VOICES]
    if unknown or not folders:
        raise ManifestError(
            f"{generated}: unknown folders {unknown}: expected some of {', '.join(_VOICES)}"
        )
    rows = [row for folder in folders for row in _fakes(folder, root)]
    return rows + [row for name, voice in _REAL.items() for row in _reals(root, name, voice)]


def _fakes(folder: Path, root: Path) -> list[ManifestRow]:
    speaker, language, rate_hz = _VOICES[folder.name]
    return [
        ManifestRow(
            id=f"{folder.name}/{path.stem}",
            path=path.relative_to(root).as_posix(),
            label="fake",
            audio_label="fake",
            speaker=speaker,
            source=_utterance(path),
            generator=folder.name,
            kind="text-to-speech" if folder.name.startswith(_TTS) else "vocoder",
            language=language,
            codec="wav",
            rate_hz=rate_hz,
            split="test",
        )
        for path in sorted(folder.rglob("*.wav"))
    ]


def _reals(root: Path, name: str, voice: tuple[str, str, int]) -> list[ManifestRow]:
    speaker, language, rate_hz = voice
    return [
        ManifestRow(
            id=f"{name.split('/')[0]}/{path.stem}",
            path=path.relative_to(root).as_posix(),
            label="real",
            audio_label="real",
            speaker=speaker,
            source=path.stem,
            language=language,
            codec="wav",
            rate_hz=rate_hz,
            split="test",
        )
        for path in sorted((root / name).glob("*.wav"))
    ]


def _utterance(path: Path) -> str:
    return path.stem.removesuffix("_gen").removesuffix("_generated")


DATASET = Dataset(
    name="wavefake",
    title="WaveFake (2021)",
    read=read,
    layout="""\
generated_audio/VOICE_VOCODER/*.wav   such as ljspeech_melgan, jsut_parallel_wavegan
LJSpeech-1.1/wavs/*.wav               human speech, if there
jsut_ver1.1/basic5000/wav/*.wav       human speech, if there
""",
    splits=("test",),
    citations=(
        Citation(
            what="generated_audio beside LJSpeech-1.1/wavs",
            where="RUB-SysSec/WaveFake: README.md",
            confirmed=True,
        ),
        Citation(
            what="names of the folders under generated_audio",
            where="users' loaders; Zenodo 5642694 not reached",
            confirmed=False,
        ),
    ),
)
