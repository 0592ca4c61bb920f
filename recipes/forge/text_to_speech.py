"""Speech of the synthesisers a user can install: espeak-ng, flite, festival.

It says other words in another voice than the clip it stands beside: fake, but nobody's twin.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import wave
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from avdetect.channels.codecs import Waveform, fit_length, resample
from avdetect.timebase import SAMPLE_RATE_HZ

Forge = Callable[[Waveform, np.random.Generator], Waveform]

SENTENCES: dict[str, tuple[str, ...]] = {
    "en": (
        "I would like to change the address on my account, please.",
        "Could you transfer four hundred and twenty pounds to my savings?",
        "The train was late again, so we walked along the river.",
        "My mother keeps the old letters in a wooden box upstairs.",
        "Please read the last three digits of the number once more.",
        "They had never seen so much snow in the first week of May.",
        "Who left the window open during the storm last night?",
        "I lost my card on Friday and need a new one by Thursday.",
        "The children were quiet because the film had just begun.",
        "Shall we meet at noon, or is half past twelve better for you?",
        "Nothing in the garden grows as fast as these beans.",
        "He asked for the manager and waited without saying a word.",
    ),
    "de": (
        "Ich möchte bitte die Adresse meines Kontos ändern.",
        "Der Zug kam wieder zu spät, also gingen wir am Fluss entlang.",
        "Könnten Sie die letzten drei Ziffern noch einmal vorlesen?",
        "Im Garten wächst nichts so schnell wie diese Bohnen.",
    ),
    "es": (
        "Quisiera cambiar la dirección de mi cuenta, por favor.",
        "El tren llegó tarde otra vez y caminamos junto al río.",
        "¿Puede leer otra vez los tres últimos números?",
        "Nada crece tan rápido en el jardín como estas judías.",
    ),
}
_ESPEAK_VOICES = {
    "en": ("en-us", "en-gb", "en-gb-scotland", "en-us+f3", "en-gb+m7", "en-us+klatt2"),
    "de": ("de", "de+f2"),
    "es": ("es", "es-419+f4"),
}
# How its English voices are named; nothing else tells a voice's language before it is loaded.
_ENGLISH_OF_FESTIVAL = ("cmu_us_", "nitech_us_", "kal_", "ked_", "rab_", "don_", "en1_", "us")
_SENTENCE_S = 20.0  # no engine takes longer for a sentence


def synthesiser_kinds() -> dict[str, Forge]:
    """A forge for every voice of every engine found on this machine, by engine and voice.

    Each says random sentences and gives as many samples, and the level, of the clip it is handed.
    """
    kinds: dict[str, Forge] = {}
    if shutil.which("espeak-ng"):
        for language, voices in _ESPEAK_VOICES.items():
            kinds |= {f"espeak-ng {v}": partial(_say, _espeak, v, language) for v in voices}
    if shutil.which("flite"):
        kinds |= {f"flite {v}": partial(_say, _flite, v, "en") for v in _flite_voices()}
    if shutil.which("text2wave"):
        kinds |= {f"festival {v}": partial(_say, _festival, v, "en") for v in _festival_voices()}
    return kinds


def missing_engines() -> dict[str, str]:
    """Engines that are not installed, and how to get them."""
    programs = {"espeak-ng": "espeak-ng", "flite": "flite", "festival": "text2wave"}
    return {
        engine: f"{program} is not installed: install the package {engine}"
        for engine, program in programs.items()
        if not shutil.which(program)
    }


_Command = Callable[[str, Path, np.random.Generator], list[str]]


def _say(
    command: _Command, voice: str, language: str, waveform: Waveform, rng: np.random.Generator
) -> Waveform:
    level = float(np.sqrt(np.mean(np.square(waveform, dtype=np.float64)))) if len(waveform) else 0.0
    settings = int(rng.integers(2**31))  # one voice at one pace all through
    said: list[Waveform] = []
    for index in rng.permutation(len(SENTENCES[language])):
        if sum(map(len, said)) >= len(waveform):
            break
        text = SENTENCES[language][int(index)]
        said.append(_speak(command, voice, text, np.random.default_rng(settings)))
    joined = fit_length(np.concatenate([np.zeros(0, np.float32), *said]), len(waveform))
    gain = level / max(float(np.sqrt(np.mean(joined.astype(np.float64) ** 2))), 1e-9)
    return np.asarray(np.clip(joined * gain, -0.999, 0.999), np.float32)


def _speak(command: _Command, voice: str, text: str, rng: np.random.Generator) -> Waveform:
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "speech.wav"
        subprocess.run(
            command(voice, target, rng),
            input=text.encode(),
            check=True,
            capture_output=True,
            timeout=_SENTENCE_S,
        )
        with wave.open(str(target)) as file:
            rate_hz, data = file.getframerate(), file.readframes(file.getnframes())
    samples = (np.frombuffer(data, "<i2") / 32_768).astype(np.float32)
    speech = resample(samples, rate_hz, SAMPLE_RATE_HZ)
    # Pauses of zeros at both ends would tell engines from people.
    heard = np.flatnonzero(np.abs(speech) > 0.01 * np.abs(speech).max(initial=0.0))
    return speech[heard[0] : heard[-1] + 1] if len(heard) else speech[:0]


def _espeak(voice: str, target: Path, rng: np.random.Generator) -> list[str]:
    pace, pitch = int(rng.integers(140, 190)), int(rng.integers(25, 75))
    return [
        "espeak-ng",
        "-v",
        voice,
        "-s",
        str(pace),
        "-p",
        str(pitch),
        "-w",
        str(target),
        "--stdin",
    ]


def _flite(voice: str, target: Path, rng: np.random.Generator) -> list[str]:
    stretch = f"duration_stretch={rng.uniform(0.9, 1.2):.2f}"
    return ["flite", "-voice", voice, "--setf", stretch, "-f", "/dev/stdin", "-o", str(target)]


def _festival(voice: str, target: Path, rng: np.random.Generator) -> list[str]:
    stretch = f"(Parameter.set 'Duration_Stretch {rng.uniform(0.9, 1.2):.2f})"
    chosen = ["-eval", f"(voice_{voice})", "-eval", stretch]
    return ["text2wave", *chosen, "-o", str(target)]


@lru_cache(maxsize=1)
def _flite_voices() -> tuple[str, ...]:
    """All but those that only tell the time."""
    listed = subprocess.run(["flite", "-lv"], check=True, capture_output=True, text=True).stdout
    return tuple(v for v in listed.partition(":")[2].split() if not v.endswith("_time"))


@lru_cache(maxsize=1)
def _festival_voices() -> tuple[str, ...]:
    """All of English that are installed, diphone and HTS alike."""
    asked = ["festival", "--batch", '(mapcar (lambda (v) (format t "%l\\n" v)) (voice.list))']
    listed = subprocess.run(asked, check=True, capture_output=True, text=True, timeout=_SENTENCE_S)
    voices = re.findall(r"^[A-Za-z]\w+$", listed.stdout, re.MULTILINE)
    return tuple(v for v in sorted(voices) if v.startswith(_ENGLISH_OF_FESTIVAL))
