"""AutoSparse: learnable thresholds with gradient annealing, by the reference that kernels are judged by.

A layer's master weights w (channels x ..., further axes flattened) have one threshold T = 1 / (1 + exp(-s)), or one a
channel. forward() prunes them, backward() gives the gradients of w, s and of the layer's inputs:

    v = sign(w) max(|w| - T, 0)           h = 1 where |w| > T, else alpha
    dw = h G + lambda w                   G = dL/dv, or dY^T X
    ds = -T (1 - T) sum(sign(w) h G) + lambda_s s
    dX = dY v

The order of every sum is stated (reference/autosparse), so that the bits are the same on every machine.
Source: Kundu, Mellempudi, Vooturi, Kaul and Dubey, "AutoSparse" (arXiv 2304.06941).
"""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from . import _assay

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from ._assay import ArrayLike

__all__ = ['Gradients', 'Pruned', 'annealed_alpha', 'backward', 'forward']


class Pruned(NamedTuple):
    """What forward() gives: v of the shape and type of w (bfloat16 if that was asked for), mask, thresholds."""

    v: npt.NDArray[Any]
    mask: npt.NDArray[np.bool_]
    thresholds: npt.NDArray[Any]


class Gradients(NamedTuple):
    """What backward() gives. None: not asked for, as dx without dy, or without meaning, as ds without s."""

    dw: npt.NDArray[Any] | None
    ds: npt.NDArray[np.float64] | None
    dx: npt.NDArray[Any] | None
    g: npt.NDArray[Any] | None


def forward(w: ArrayLike, *, s: ArrayLike | None = None, threshold: ArrayLike | None = None, keep: int | None = None,
            channels: bool = False, bf16: bool = False, threads: int = 0) -> Pruned:
    """Prunes the weights of a layer.

    w          master weights, float32 or float64
    s          T = 1 / (1 + exp(-s)); with channels, one a channel
    threshold  T itself, between 0 and 1
    keep       the fixed-budget form: T so that this many weights are kept (fewer where magnitudes are equal)
    bf16       v rounded to bfloat16, to nearest even; w and s stay float32

    One of s, threshold and keep. ContractError for weights that are NaN, which it names, for values and shapes that do
    not match; TypeError for elements of another type.
    """
    return Pruned(*_assay._autosparse_forward(w, s, threshold, keep, channels, bf16, threads))


def backward(w: ArrayLike, *, s: ArrayLike | None = None, threshold: ArrayLike | None = None, keep: int | None = None,
             channels: bool = False, g: ArrayLike | None = None, x: ArrayLike | None = None,
             dy: ArrayLike | None = None, alpha: float = 0.0, lambda_: float = 0.0, lambda_s: float | None = None,
             support: Literal['dense', 'kept', 'top-half'] = 'dense', bf16: bool = False,
             threads: int = 0) -> Gradients:
    """Gradients of a layer, from G or from its inputs X (batch x weights of a channel) and dY (batch x channels).

    w, s, threshold, keep, channels  as of forward()
    alpha      share of the gradient that masked weights get: 0 is STR, 1 the straight-through estimator
    lambda_    weight decay of w; lambda_s that of s (None: the same)
    support    of G: dense; kept: masked weights get none (alpha = 0); top-half: those with the larger |w| - T
    bf16       v, X and dY are rounded to bfloat16, and products accumulate in float32

    dw, dx and g have the type of w, ds is float64. ContractError for alpha outside [0, 1], decays below 0, weights that
    are NaN, and shapes that do not match.
    """
    return Gradients(*_assay._autosparse_backward(w, s, threshold, keep, channels, g, x, dy, alpha, lambda_, lambda_s,
                                                  support, bf16, threads))


def annealed_alpha(alpha: float, schedule: Literal['none', 'linear', 'cosine', 'sigmoid', 'sigmoid-cosine'], *,
                   done: int, epochs: int) -> float:
    """alpha of the epoch that begins when `done` of `epochs` are done: alpha times the schedule, 0 from 0.9 on."""
    return _assay._annealed_alpha(schedule, alpha, done, epochs)
