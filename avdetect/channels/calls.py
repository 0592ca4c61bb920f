"""A coded call that loses packets: its decoder conceals them, or somebody else does, or nobody."""

from __future__ import annotations

import numpy as np

from avdetect.channels.codecs import CODECS, Waveform, fit_length, resample, through_codec
from avdetect.channels.concealment import conceal
from avdetect.channels.levels import SoundStep
from avdetect.channels.loss import draw_losses, silence_lost
from avdetect.timebase import SAMPLE_RATE_HZ

_PACKET_S = 0.02
_BURST = 2.0  # packets lost in a row on average
_CONCEALED_AT_ONCE = 2  # frames of 10 ms in a packet


def lossy_call(name: str, share: float, *, concealed: bool = True) -> SoundStep:
    """A call in packets of 20 ms.

    AMR and Opus conceal a loss by their own means. For other codecs the gap is filled behind the
    decoder as in ITU-T G.711 Appendix I, at the codec's rate.

    Args:
        name: a key of `CODECS` that works at 8 or 16 kHz.
        share: of packets lost in the long run, 0 <= share < 1.
        concealed: False plays zeros where a packet is missing; not for AMR and Opus.
    """
    codec = CODECS[name]

    def decoder_conceals(waveform: Waveform, rng: np.random.Generator) -> Waveform:
        return through_codec(waveform, name, draw_losses(_n_packets(waveform), share, _BURST, rng))

    def lost_behind_decoder(waveform: Waveform, rng: np.random.Generator) -> Waveform:
        line = resample(through_codec(waveform, name), SAMPLE_RATE_HZ, codec.rate_hz)
        lost = draw_losses(_n_packets(waveform), share, _BURST, rng)
        if concealed:
            heard = conceal(line, np.repeat(lost, _CONCEALED_AT_ONCE), codec.rate_hz)
        else:
            heard = silence_lost(line, lost, round(_PACKET_S * codec.rate_hz))
        return fit_length(resample(heard, codec.rate_hz, SAMPLE_RATE_HZ), len(waveform))

    if codec.lost_packet is not None and not concealed:
        raise ValueError(f"{name} conceals lost packets itself: leave concealed as it is")
    return decoder_conceals if codec.lost_packet is not None else lost_behind_decoder


def _n_packets(waveform: Waveform) -> int:
    return int(np.ceil(len(waveform) / SAMPLE_RATE_HZ / _PACKET_S))
