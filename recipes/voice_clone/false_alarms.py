"""How often the voice of a human is called fake, by channel, by judges that had not seen its fold.

python -m recipes.voice_clone.false_alarms
"""

from __future__ import annotations

import torch

from avdetect.checkpoint import read_bundle
from eval.protocol import read_protocol
from recipes.voice_clone.calibration import level, out_of_fold_scores
from recipes.voice_clone.drawing import unfitted_judge
from recipes.voice_clone.rows import PROTOCOL, measurable, shipped_split, voice_rows
from recipes.voice_clone.samples import MEASURED_THROUGH, clip_numbers
from recipes.voice_clone.settings import CONFIG, NUMBERS, read_settings


def main() -> None:
    """Print one line a channel: shares called fake and called real, of each class."""
    torch.set_num_threads(1)
    protocol, settings = read_protocol(PROTOCOL), read_settings(CONFIG).judge
    training, _ = shipped_split(measurable(voice_rows(), protocol), protocol)
    measured = clip_numbers(training, NUMBERS, settings.vocoder)
    trials = out_of_fold_scores(training, protocol, measured, settings)
    head = unfitted_judge(settings.vocoder)
    level(head, trials)
    rule = read_bundle().decision
    print(f"called fake from log-odds {rule['fake_log_odds']}, real to -{rule['real_log_odds']}")
    for channel in MEASURED_THROUGH:
        print(f"{channel:8s}", end="")
        for fake in (False, True):
            chosen = [t for t in trials if t.channel == channel and t.fake is fake]
            raw = torch.tensor([t.raw.tolist() for t in chosen])
            llrs = head.mixed(raw, torch.tensor([t.narrow for t in chosen]))
            called = (llrs >= rule["fake_log_odds"]).float().mean()
            cleared = (llrs <= -rule["real_log_odds"]).float().mean()
            name = "fake" if fake else "human"
            print(f"  {len(chosen)} {name}: called fake {called:.1%}, real {cleared:.1%}", end="")
        print()


if __name__ == "__main__":
    main()
