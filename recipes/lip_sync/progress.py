"""One stage of training, written to disk after each epoch and taken up from there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from avdetect.nn.trained_state import load_trained_state, trained_state
from recipes.lip_sync.settings import Settings
from recipes.lip_sync.windows import TalkingClip


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What both stages train on, and how.

    Attributes:
        clips: real clips in synchrony.
        held_out: clips of identities that are not in ``clips``, measured as training goes.
        settings: sizes and rates.
        folder: where the state is written.
        shuffled: train the control instead, which must learn nothing.
        resume: take up the state in ``folder``.
    """

    clips: list[TalkingClip]
    held_out: list[TalkingClip]
    settings: Settings
    folder: Path
    shuffled: bool
    resume: bool


class Progress:
    """AdamW under a one-cycle schedule (Smith & Topin 2018), resumable at epochs.

    Args:
        network: what is trained.
        path: file of its state.
        steps: optimiser steps of the whole training.
        rate: peak learning rate.
        decay: weight decay.
        largest_gradient: norm to which gradients are clipped.
    """

    def __init__(
        self,
        network: nn.Module,
        path: Path,
        *,
        steps: int,
        rate: float,
        decay: float,
        largest_gradient: float,
    ) -> None:
        self.epoch = 0
        self._network, self._path, self._largest = network, path, largest_gradient
        parameters = [p for p in network.parameters() if p.requires_grad]
        self._optimiser = torch.optim.AdamW(parameters, lr=rate, weight_decay=decay)
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(
            self._optimiser, rate, total_steps=steps, pct_start=0.15
        )

    def step(self, loss: Tensor) -> None:
        """Descend one step."""
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self._network.parameters(), self._largest)
        self._optimiser.step()
        self._schedule.step()

    def save(self) -> None:
        """Count an epoch and write the state whole."""
        self.epoch += 1
        state = {
            "network": trained_state(self._network),
            "optimiser": self._optimiser.state_dict(),
            "schedule": self._schedule.state_dict(),
            "epoch": self.epoch,
        }
        part = self._path.with_suffix(".part")
        torch.save(state, part)
        part.rename(self._path)

    def resume(self) -> None:
        """Take up the state on disk, where there is one."""
        if not self._path.is_file():
            return
        state = torch.load(self._path, weights_only=True)
        load_trained_state(self._network, state["network"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._schedule.load_state_dict(state["schedule"])
        self.epoch = int(state["epoch"])
