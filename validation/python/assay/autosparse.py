"""AutoSparse: learnable thresholds with gradient annealing, by the reference that kernels are judged by.

A layer's master weights w (channels x ..., further axes flattened) have one threshold T = 1 / (1 + exp(-s)), or one a
channel. forward() prunes them, backward() gives the gradients of w, s and of the layer's inputs:

    v = sign(w) max(|w| - T, 0)           h = 1 where |w| > T, else alpha
    dw = h G + lambda w                   G = dL/dv, or dY^T X
    ds = -T (1 - T) sum(sign(w) h G) + lambda_s s
    dX = dY v

check() judges what somebody's own kernels, or the autograd functions of a framework, give for one layer.
The order of every sum is stated (reference/autosparse), so that the bits are the same on every machine.
Source: Kundu, Mellempudi, Vooturi, Kaul and Dubey, "AutoSparse" (arXiv 2304.06941).
"""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from . import _assay

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from ._assay import ArrayLike, FormatLike, Policy, Probe, Verdicts

__all__ = ['Gradients', 'Pruned', 'annealed_alpha', 'backward', 'check', 'forward']


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

    One of s, threshold and keep. ContractError for weights that are NaN or infinite, which it
    names, for values and shapes that do
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
    """alpha of the epoch that begins when `done` of `epochs` are done: alpha times the schedule.

    It is 0 from 0.9 of the epochs on, but for schedule none.
    """
    return _assay._annealed_alpha(schedule, alpha, done, epochs)


def check(w: ArrayLike, *, s: ArrayLike | None = None, threshold: ArrayLike | None = None, channels: bool = False,
          alpha: float = 0, lambda_: float = 0, lambda_s: float | None = None, x: ArrayLike | None = None,
          dy: ArrayLike | None = None, g: ArrayLike | None = None, got_mask: ArrayLike | None = None,
          got_v: ArrayLike | None = None, got_dw: ArrayLike | None = None, got_dx: ArrayLike | None = None,
          got_ds: ArrayLike | None = None, support: str = 'dense', epoch: int | None = None,
          epochs: int | None = None, schedule: str | None = None, unit: str | Probe | None = None,
          acc: FormatLike | None = None, order: str = 'any', ds_acc: FormatLike | None = None, ds_order: str = 'any',
          policy: str | Policy = 'bound', expects_zero: bool = False, threads: int = 0) -> Verdicts:
    """Judges masks, pruned weights and gradients of a layer, as `assay check autosparse` does.

    w           weights before pruning, output channels first
    s, threshold
                one of them: a number, or with channels=True one a channel; numbers are rounded to float32 (float64 if w
                is float64)
    alpha, lambda_, lambda_s
                share of the gradient that masked weights get; decay of the weights and of s (None: lambda_)
    x, dy       batch x inputs and batch x channels; g: of the shape of w, in place of both for dw and ds
    got_mask, got_v, got_dw, got_dx, got_ds
                what is judged, one of them at least. got_dx requires dy; got_dw and got_ds require g, or x and dy
    support     where G is computed: 'dense', 'kept' (alpha 0), 'top-half'
    epoch, epochs, schedule
                epochs that are done, all of them, and how alpha falls; alpha is then that of the beginning
    unit        an arithmetic for dx and G, as in assay.check(); acc, order: their sums, where none is named
    ds_acc, ds_order
                format and order of the sum of ds
    policy      'bound' (the default), 'correctly-rounded', 'bit-equal', a Policy; masks are always bit for bit
    expects_zero
                accept that an exact result is all zero instead of calling it VACUOUS
    threads     0: OpenMP's choice; changes no figure

    Returns Verdicts by name: 'mask', 'v', 'dw', 'dx', 'ds'. Notes of a wrong one that begin with 'cause' name the known
    mistake that explains it; of a ds they may stand under PASSED too, where its bound is wide. ContractError for
    what a result needs and is not there; InputError for arrays and numbers that are not in order, with the place.
    """
    return _assay._autosparse_check(dict(locals()))
