"""AV-Deepfake1M submissions: a score a file, and proposals of forged segments; higher = fake."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence

from eval.errors import ScoresError
from eval.run.stretches import Located, Stretch


def detection(llrs: Mapping[str, float]) -> str:
    """``file;score`` a line without a header: task 1 of the 1M-Deepfakes Detection Challenge 2025.

    The score is the probability of fake at even odds (``deepfakes1m/deepfakes1m.github.io``,
    ``src/routes/2025/details``).

    Args:
        llrs: ``fake_llr`` by id, which is the file's path in the data set.
    """
    parted = [name for name in llrs if ";" in name or "\n" in name]
    if parted:
        raise ScoresError(f"{parted[0]!r} is no file name here: the format parts cells by ;")
    return "".join(f"{name};{_probability(llr):.6f}\n" for name, llr in llrs.items())


def localisation(llrs: Mapping[str, float], located: Mapping[str, Located]) -> str:
    """``{file: [[confidence, start, end], …]}``, most confident first: task 2 of the challenge.

    The official scorer takes proposals as listed and fails on a file without any
    (``ControlNet/AV-Deepfake1M``, package avdeepfake1m 0.0.4), so a clip without a suspicious
    stretch gets one empty proposal of confidence 0.

    Args:
        llrs: decides which files are listed, and in which order.
        located: stretches by id; a clip that is not there has none.
    """
    proposals = {
        name: _proposals(located[name].stretches if name in located else ()) for name in llrs
    }
    lines = [f"{json.dumps(name)}: {json.dumps(found)}" for name, found in proposals.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _proposals(stretches: Sequence[Stretch]) -> list[list[float]]:
    ordered = sorted(stretches, key=lambda s: (-s.confidence, s.start_s, s.end_s))
    return [[s.confidence, s.start_s, s.end_s] for s in ordered] or [[0.0, 0.0, 0.0]]


def _probability(llr: float) -> float:
    return 1.0 / (1.0 + math.exp(-llr))
