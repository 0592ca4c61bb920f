"""How often human speech is called fake and synthetic speech real, by channel.

Judges, levels and calibration are those of the other folds each time.

python -m recipes.voice_clone.false_alarms
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from avdetect.checkpoint import read_bundle
from avdetect.decision import DecisionRule
from avdetect.types import Decision
from eval.protocol import read_protocol
from recipes.voice_clone.calibration import Trial, levelled_llrs, out_of_fold_scores
from recipes.voice_clone.drawing import unfitted_judge
from recipes.voice_clone.rows import PROTOCOL, measurable, shipped_split, voice_rows
from recipes.voice_clone.samples import clip_numbers
from recipes.voice_clone.settings import CONFIG, NUMBERS, read_settings


def main() -> None:
    """Print one line a channel: shares called fake and called real, of each class."""
    torch.set_num_threads(1)
    protocol, settings = read_protocol(PROTOCOL), read_settings(CONFIG).judge
    training, _ = shipped_split(measurable(voice_rows(), protocol), protocol)
    measured = clip_numbers(training, NUMBERS, settings.vocoder)
    trials = out_of_fold_scores(training, protocol, measured, settings)
    llrs = levelled_llrs(unfitted_judge(settings.vocoder), trials)
    rule = read_bundle().rule()
    print(f"called fake from log-odds {rule.fake_log_odds:.2f}, real to -{rule.real_log_odds:.2f}")
    print("\n".join(share_lines(trials, llrs, rule)))


def share_lines(
    trials: Sequence[Trial], llrs: NDArray[np.float64], rule: DecisionRule
) -> list[str]:
    """A line for each channel, at even prior odds."""
    lines = []
    for channel in dict.fromkeys(t.channel for t in trials):
        line = f"{channel:8s}"
        for name, fake in (("human", False), ("fake", True)):
            chosen = llrs[[t.channel == channel and t.fake is fake for t in trials]]
            called = [rule.decide(float(llr), 0.5) for llr in chosen]
            shares = [
                np.mean([c is kind for c in called]) for kind in (Decision.FAKE, Decision.REAL)
            ]
            line += f"  {len(chosen)} {name}: called fake {shares[0]:.1%}, real {shares[1]:.1%}"
        lines.append(line)
    return lines


if __name__ == "__main__":
    main()
