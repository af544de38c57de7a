"""Right answers, machines' answers, and whether they agree.

compare() judges an output, testing.assert_agrees() does so in a test; gemm() and dot() answer as a machine does, bit
for bit; round() rounds into any format; load() and save() read and write array files. Arrays of NumPy and ml_dtypes,
and whatever has DLPack, are read where they lie.
"""
from . import testing
from ._assay import (Arithmetic, Codes, ContractError, Format, InputError, Policy, Sparse, Unavailable, Verdict,
                     arithmetics, codes, compare, conversions, dot, formats, gemm, load, load_all, metadata, policies,
                     round, roundings, save, tolerance, units)

__all__ = ['Arithmetic', 'Codes', 'ContractError', 'Format', 'InputError', 'Policy', 'Sparse', 'Unavailable', 'Verdict',
           'arithmetics', 'codes', 'compare', 'conversions', 'dot', 'formats', 'gemm', 'load', 'load_all', 'metadata',
           'policies', 'round', 'roundings', 'save', 'testing', 'tolerance', 'units']
