"""The chord network: what the harmony of each beat could be, given the melody and the chords that are fixed.

A conditional random field (Lafferty, McCallum and Pereira, ICML 2001) over beats: the network scores each
chord in each slot and how well a change fits there; a learned table scores which chord follows which. So
whole sequences are likely or unlikely, and the best one, or a random one, is found exactly. The network
convolves circularly over pitch classes and the table depends on the step between roots, so all keys are
alike.

Letters: B batch, S slots (beats), W width, Q qualities, C = 12·Q + 1 chord states.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from appliance.networks.chord_rows import CHORD_QUALITIES, CIRCLE_ROWS, PLAIN_ROWS
from train.networks.planner import HarmonyBlock

QUALITIES = len(CHORD_QUALITIES)


@dataclass(frozen=True, slots=True)
class ChordConfig:
    """Channels and dilations, in beats."""

    width: int = 64
    dilations: tuple[int, ...] = (1, 2, 4, 8, 16, 1, 2, 4, 8)


class ChordNetwork(nn.Module):
    """The network; see :meth:`forward`. ``steps`` (Q, Q, 12) scores a step from one quality to another whose
    root is so many semitones higher; ``rest`` (2, Q) scores a step to and from no chord."""

    def __init__(self, config: ChordConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.circle_in = nn.Conv2d(CIRCLE_ROWS, width, 1)
        self.plain_in = nn.Conv2d(PLAIN_ROWS, width, 1)
        self.blocks = nn.ModuleList(HarmonyBlock(width, d) for d in config.dilations)
        self.chord_out = nn.Conv2d(width, QUALITIES, 1)
        self.none_out = nn.Conv1d(width, 1, 1)
        self.change_out = nn.Conv1d(width, 1, 1)
        self.bass_out = nn.Conv2d(width, 12, 1)
        self.steps = nn.Parameter(torch.zeros(QUALITIES, QUALITIES, 12))
        self.rest = nn.Parameter(torch.zeros(2, QUALITIES))

    def forward(self, circle: Tensor, plain: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Scores of every slot.

        Args:
            circle: (B, CIRCLE_ROWS, 12, S).
            plain: (B, PLAIN_ROWS, S).

        Returns:
            Logarithms: chords (B, C, S); change (B, S), added where another chord begins; bass
            (B, 12, 12, S), the log probability of the interval (first) above a root (second).
        """
        x = self.circle_in(circle) + self.plain_in(plain.unsqueeze(2))
        for block in self.blocks:
            x = block(x)
        x = F.gelu(x)
        whole = x.mean(dim=2)
        chords = torch.cat([self.chord_out(x).flatten(1, 2), self.none_out(whole)], dim=1)
        return chords, self.change_out(whole).squeeze(1), F.log_softmax(self.bass_out(x), dim=1)

    def transitions(self) -> Tensor:
        """Score of each step between chord states, (C from, C to); 0 for staying."""
        roots = torch.arange(12, device=self.steps.device)
        interval = (roots[None, :] - roots[:, None]) % 12  # (from, to)
        table = self.steps[:, :, interval].permute(0, 2, 1, 3).reshape(12 * QUALITIES, 12 * QUALITIES)
        into, out = (row.repeat_interleave(12) for row in self.rest)
        table = torch.cat([table, into[:, None]], dim=1)
        table = torch.cat([table, torch.cat([out, out.new_zeros(1)])[None]], dim=0)
        return table * (1.0 - torch.eye(len(table), device=table.device))


def log_partition(chords: Tensor, change: Tensor, table: Tensor, lengths: Tensor) -> Tensor:
    """Logarithm of the sum over all sequences of the exponential of their score, (B,).

    Args:
        chords: (B, C, S).
        change: (B, S).
        table: (C, C), from :meth:`ChordNetwork.transitions`.
        lengths: (B,), number of slots that count.
    """
    eye = torch.eye(len(table), device=table.device)
    alpha = chords[:, :, 0]
    moves = torch.exp(table) * (1.0 - eye)
    for slot in range(1, chords.shape[2]):
        top = alpha.max(dim=1, keepdim=True).values
        share = torch.exp(alpha - top)
        arriving = share + torch.exp(change[:, slot, None]) * (share @ moves)
        new = torch.log(arriving.clamp_min(1e-30)) + top + chords[:, :, slot]
        alpha = torch.where((slot < lengths)[:, None], new, alpha)
    return torch.logsumexp(alpha, dim=1)


def sequence_score(chords: Tensor, change: Tensor, table: Tensor, states: Tensor, valid: Tensor) -> Tensor:
    """Score of the sequences ``states`` (B, S), of which only ``valid`` slots (B, S) count: (B,)."""
    own = chords.gather(1, states.unsqueeze(1)).squeeze(1)
    changes = states[:, 1:] != states[:, :-1]
    step = table[states[:, :-1], states[:, 1:]] + change[:, 1:]
    return (own * valid).sum(dim=1) + (step * changes * valid[:, 1:]).sum(dim=1)
