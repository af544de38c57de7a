"""Right answers, machines' answers, and whether they agree.

compare() judges an output, check() judges it by its inputs, testing.assert_agrees() does so in a test; gemm() and
dot() answer as a machine does, bit for bit; explain() says which arithmetic made an output, probe() finds the one
behind any callable, invariance() says on what its bits depend, distinguish() finds an input that tells two apart, and
study() measures their errors; round() rounds into any format; load() and save() read and write array files. Arrays of
NumPy and ml_dtypes, and whatever has DLPack, are read where they lie.
"""
from . import testing
from ._assay import (Arithmetic, Codes, ContractError, Distinction, Explanation, Format, InputError, Invariance, Policy,
                     Probe, Sparse, Study, Unavailable, Verdict, Verdicts, arithmetics, check, codes, compare,
                     conversions, distinguish, dot, exact, explain, formats, gemm, invariance, load, load_all, metadata,
                     policies, probe, round, roundings, save, sddmm, shrink, spmm, study, tolerance, units)

__all__ = ['Arithmetic', 'Codes', 'ContractError', 'Distinction', 'Explanation', 'Format', 'InputError', 'Invariance',
           'Policy', 'Probe', 'Sparse', 'Study', 'Unavailable', 'Verdict', 'Verdicts', 'arithmetics', 'check', 'codes',
           'compare', 'conversions', 'distinguish', 'dot', 'exact', 'explain', 'formats', 'gemm', 'invariance', 'load',
           'load_all', 'metadata', 'policies', 'probe', 'round', 'roundings', 'save', 'sddmm', 'shrink', 'spmm',
           'study', 'testing', 'tolerance', 'units']
