"""For tests: agreement or an AssertionError that holds the judge's text."""
from __future__ import annotations

from typing import TYPE_CHECKING

from ._assay import compare

if TYPE_CHECKING:
    from ._assay import ArrayLike, FormatLike, Policy, Verdict  # noqa: F401

__all__ = ['assert_agrees']


def assert_agrees(got: ArrayLike, want: ArrayLike, policy: str | Policy = 'bit-equal', *,
                  bound: ArrayLike | None = None, convert: bool = False, rounding: str = 'nearest-even',
                  expects_zero: bool = False, stale: ArrayLike | None = None, name: str = '',
                  threads: int = 0) -> Verdict:
    """AssertionError with the judge's text unless `got` agrees with `want`; the arguments are those of compare().

    VACUOUS, agreement that proves nothing (all zeros would have passed), is an error as well. The verdict is returned.
    """
    __tracebackhide__ = True  # pytest shows the caller
    verdict = compare(got, want, policy, bound=bound, convert=convert, rounding=rounding, expects_zero=expects_zero,
                      stale=stale, name=name, threads=threads)
    if not verdict:
        raise AssertionError('\n' + verdict.text())
    return verdict
