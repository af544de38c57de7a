"""Right answers, machines' answers, and whether they agree.

compare() judges an output, check() judges it by its inputs, testing.assert_agrees() does so in a test; gemm() and
dot() answer as a machine does, bit for bit; explain() finds the arithmetic that made an output, probe() the one behind
any callable or program, invariance() tests what its bits depend on, distinguish() finds an input on which two
arithmetics differ, and study() measures their errors; plan_spmm() says which kernel a sparse product takes; autosparse
has AutoSparse's forward and backward pass and judges those of others; simt runs CUDA programs and kernels on the CPU;
gen() makes cases for a program and verify() judges its answers; round() rounds into any format; load() and save() read
and write array files. Arrays of NumPy and ml_dtypes, and of any library with DLPack, are read in place.
"""
from . import autosparse, simt, testing
from ._assay import (Arithmetic, Codes, ContractError, Distinction, Explanation, Format, InputError, Invariance, Plan,
                     Policy, Probe, Sparse, Study, Unavailable, Verdict, Verdicts, arithmetics, check, codes, compare,
                     conversions, distinguish, dot, exact, explain, formats, gemm, gen, invariance, load, load_all,
                     metadata, plan_spmm, policies, probe, round, roundings, save, sddmm, shrink, spmm, study,
                     tolerance, units, verify)

__all__ = ['Arithmetic', 'Codes', 'ContractError', 'Distinction', 'Explanation', 'Format', 'InputError', 'Invariance',
           'Plan', 'Policy', 'Probe', 'Sparse', 'Study', 'Unavailable', 'Verdict', 'Verdicts', 'arithmetics',
           'autosparse', 'check', 'codes', 'compare', 'conversions', 'distinguish', 'dot', 'exact', 'explain',
           'formats', 'gemm', 'gen', 'invariance', 'load', 'load_all', 'metadata', 'plan_spmm', 'policies', 'probe',
           'round', 'roundings', 'save', 'sddmm', 'shrink', 'simt', 'spmm', 'study', 'testing', 'tolerance', 'units',
           'verify']
