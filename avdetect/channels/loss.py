"""Packets that never arrive: which ones, and what an endpoint without concealment plays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from avdetect.channels.codecs import Waveform


def draw_losses(
    n_packets: int, share: float, mean_burst: float, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Which packets are lost, by the two-state model of Gilbert (1960), stationary from the start.

    Args:
        n_packets: how many are sent.
        share: of packets lost in the long run, 0 <= share < 1.
        mean_burst: packets lost in a row on average, >= 1; 1 / (1 - share) is loss without memory.
        rng: draws the states.

    Returns:
        (n_packets,) bool, True where lost.
    """
    enter, leave = min(1.0, share / (1.0 - share) / mean_burst), 1.0 / mean_burst
    lost = np.zeros(n_packets, np.bool_)
    gone = bool(rng.random() < share)
    for index, draw in enumerate(rng.random(n_packets)):
        lost[index] = gone
        gone = bool(draw >= leave) if gone else bool(draw < enter)
    return lost


def silence_lost(waveform: Waveform, lost: NDArray[np.bool_], packet_samples: int) -> Waveform:
    """Zeros where packets are missing: a decoder without concealment.

    Args:
        waveform: (S,) float32, as decoded.
        lost: (P,) one flag a packet; samples behind the last flag arrive.
        packet_samples: samples in a packet.
    """
    gone = np.repeat(lost, packet_samples)[: len(waveform)]
    out = waveform.copy()
    out[: len(gone)][gone] = 0.0
    return out
