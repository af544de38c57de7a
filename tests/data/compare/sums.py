"""Sums, dot products and matrix products for `assay probe --form text`: float64, one term after the other.

Of a matrix product alpha times the sum is rounded once, beta times C is too, and their sum.
"""
import sys


def chain(terms):
    total = 0.0
    for term in terms:
        total += term
    return total


while header := sys.stdin.readline():
    _, _, operation, m, n, k, _, _, c_type, _, alpha, beta, _, _, cases = header.split()
    m, n, k, alpha, beta = int(m), int(n), int(k), float(alpha), float(beta)
    for _ in range(int(cases)):
        a = [float(x) for x in sys.stdin.readline().split()]
        if operation in ('sum', 'mean'):
            results = [chain(a) / (k if operation == 'mean' else 1)]
        else:
            b = [float(x) for x in sys.stdin.readline().split()]
            results = [chain(a[i * k + t] * b[t * n + j] for t in range(k)) for i in range(m) for j in range(n)]
            if operation == 'gemm':
                c = [float(x) for x in sys.stdin.readline().split()] if c_type != '-' else [0.0] * (m * n)
                results = [alpha * x + beta * y if beta else alpha * x for x, y in zip(results, c)]
        print(*map(repr, results))
    sys.stdout.flush()
