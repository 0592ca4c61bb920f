"""Make the embedded samples: ``python -m recipes.samples.make`` (needs espeak-ng and flite).

Nothing of them is used in training. What each is made of stands in ``samples/SOURCES.md``.
"""

from __future__ import annotations

import subprocess
import tempfile
from fractions import Fraction
from pathlib import Path

import av
import cv2
import librosa
import numpy as np
from av.audio.stream import AudioStream
from moviepy import AudioArrayClip, VideoClip
from numpy.typing import NDArray
from skimage import data

from avdetect.faces.align import OUTER_LIPS
from avdetect.faces.detect import FaceFinder

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
CALL_RATE_HZ = 8000
_PICTURE_RATE_HZ = 25

CALLER = (
    "Hello, this is the owner of the account. I have lost my card and I am abroad. "
    "Please raise the limit of the transfer today, my assistant is waiting for the money. "
    "I can give you my date of birth and the last four digits."
)
AGENT = (
    "Good morning, you are speaking with the service desk. I understand. "
    "Before we go on I have to ask you two questions."
)
PORTRAIT = "Good evening. I am an astronaut, and I have never spoken this sentence in my life."


def main() -> None:
    """Write all samples."""
    SAMPLES.mkdir(exist_ok=True)
    make_call(SAMPLES / "call_synthetic.wav")
    make_portrait(SAMPLES / "portrait_forged.mp4")
    make_photograph(SAMPLES / "portrait_real.jpg")
    make_hold_tone(SAMPLES / "hold_tone.ogg")


def make_call(path: Path) -> None:
    """A two-channel telephone call, both voices synthetic, G.711 µ-law at 8 kHz."""
    caller = speak("flite", CALLER)
    agent = speak("espeak-ng", AGENT)
    length = max(len(caller) + CALL_RATE_HZ, len(agent))
    sound = np.zeros((2, length), np.float32)
    sound[0, CALL_RATE_HZ // 2 :][: len(caller)] = caller[: length - CALL_RATE_HZ // 2]
    sound[1, : len(agent)] = agent
    rng = np.random.default_rng(0)
    line = 3e-4 * rng.standard_normal(sound.shape).astype(np.float32)
    write_sound(path, sound + line, "pcm_mulaw", CALL_RATE_HZ)


def make_hold_tone(path: Path) -> None:
    """A telephone's hold tone: nothing to judge, which the verdict has to say."""
    t = np.arange(6 * CALL_RATE_HZ) / CALL_RATE_HZ
    gate = (np.floor(t) % 2 == 0).astype(np.float64)
    tone = 0.2 * gate * (np.sin(2 * np.pi * 350 * t) + np.sin(2 * np.pi * 440 * t))
    write_sound(path, tone[None].astype(np.float32), "libopus", CALL_RATE_HZ)


def make_photograph(path: Path) -> None:
    """The photograph that the forged portrait was made of, as it is."""
    picture = cv2.cvtColor(_photograph(), cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(path), picture, [cv2.IMWRITE_JPEG_QUALITY, 92])


def make_portrait(path: Path) -> None:
    """The photograph made to speak: lips and jaw warped by the loudness of a synthetic voice."""
    voice = speak("flite", PORTRAIT, rate_hz=16000)
    loudness = librosa.feature.rms(y=voice, frame_length=1280, hop_length=640)[0]
    opening = np.clip(loudness / np.percentile(loudness, 95), 0, 1)
    photograph = _photograph()
    with FaceFinder() as finder:
        face = finder.measure(photograph, finder.propose(photograph)[0])
    if face is None:
        raise RuntimeError("the face of the photograph was not found")
    lips = face.landmarks[list(OUTER_LIPS)].mean(0)

    def frame(t: float) -> NDArray[np.uint8]:
        index = min(int(t * _PICTURE_RATE_HZ), len(opening) - 1)
        return _with_open_mouth(photograph, lips, face.size_px, float(opening[index]), t)

    clip = VideoClip(frame, duration=len(voice) / 16000)
    stereo = np.repeat(voice[:, None], 2, axis=1)
    clip = clip.with_audio(AudioArrayClip(stereo, fps=16000))
    clip.write_videofile(
        str(path),
        fps=_PICTURE_RATE_HZ,
        codec="libx264",
        audio_codec="aac",
        audio_fps=16000,
        ffmpeg_params=["-crf", "26", "-pix_fmt", "yuv420p"],
        logger=None,
    )


def _photograph() -> NDArray[np.uint8]:
    """NASA's portrait of Eileen Collins, (512, 512, 3) uint8 RGB."""
    return np.asarray(data.astronaut(), np.uint8)  # type: ignore[no-untyped-call]


def _with_open_mouth(
    photograph: NDArray[np.uint8],
    lips: NDArray[np.float32],
    size_px: float,
    opening: float,
    t: float,
) -> NDArray[np.uint8]:
    """Pull everything below the lips down by a share of the face, fading out around it."""
    height, width = photograph.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    reach_x, reach_y = 0.28 * size_px, 0.45 * size_px
    below = 1 / (1 + np.exp(-(y - lips[1]) / (0.01 * size_px)))
    fade = np.exp(-(((x - lips[0]) / reach_x) ** 2) - np.abs((y - lips[1]) / reach_y) ** 3)
    shift = (0.10 * size_px * opening * below * fade).astype(np.float32)
    sway = np.float32(2.0 * np.sin(2 * np.pi * 0.3 * t))
    warped = cv2.remap(photograph, x + sway, y - shift, cv2.INTER_LINEAR, None, cv2.BORDER_REFLECT)
    gap = np.clip(shift / (0.10 * size_px) - 0.3, 0, 1)
    dark = gap * np.exp(-(((y - lips[1]) / (0.04 * size_px * (0.2 + opening))) ** 2)) * fade
    return np.asarray(warped * (1 - 0.85 * dark[..., None]), np.uint8)


def speak(engine: str, text: str, rate_hz: int = CALL_RATE_HZ) -> NDArray[np.float32]:
    """Text to (S,) float32 in [-1, 1] by a speech synthesiser on this machine."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spoken.wav"
        command = {
            "flite": ["flite", "-voice", "slt", "-t", text, "-o", str(path)],
            "espeak-ng": ["espeak-ng", "-v", "en-gb", "-s", "150", "-w", str(path), text],
        }[engine]
        subprocess.run(command, check=True)
        sound, _ = librosa.load(path, sr=rate_hz, mono=True)
    return np.asarray(0.5 * sound / np.abs(sound).max(), np.float32)


def write_sound(path: Path, sound: NDArray[np.float32], codec: str, rate_hz: int) -> None:
    """Encode (C, S) float32 by PyAV into the container of the path's suffix."""
    layout = "stereo" if len(sound) == 2 else "mono"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate_hz, layout=layout)
        if not isinstance(stream, AudioStream):
            raise TypeError(f"{codec} is no sound codec")
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray((sound * 32767).astype(np.int16).T).reshape(1, -1), "s16", layout
        )
        frame.sample_rate, frame.pts, frame.time_base = rate_hz, 0, Fraction(1, rate_hz)
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)


if __name__ == "__main__":
    main()
