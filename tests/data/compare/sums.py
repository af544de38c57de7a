"""Sums, dot products and matrix products for `assay probe --form text`: float64, one term after the other."""
import sys


def chain(terms):
    total = 0.0
    for term in terms:
        total += term
    return total


while header := sys.stdin.readline():
    _, _, operation, m, n, k, *_, cases = header.split()
    m, n, k = int(m), int(n), int(k)
    for _ in range(int(cases)):
        a = [float(x) for x in sys.stdin.readline().split()]
        if operation == 'sum':
            results = [chain(a)]
        else:
            b = [float(x) for x in sys.stdin.readline().split()]
            results = [chain(a[i * k + t] * b[t * n + j] for t in range(k)) for i in range(m) for j in range(n)]
        print(*map(repr, results))
    sys.stdout.flush()
