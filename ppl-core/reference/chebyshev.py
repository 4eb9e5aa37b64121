"""Polynomials of functions on [-1, 1], for the other scripts (mpmath 1.3.0)."""

import mpmath as mp


def polynomial(function, terms, nodes):
    """The coefficients of the Chebyshev interpolant, in powers, and about how much is left out."""
    angles = [mp.pi * (k + mp.mpf(1) / 2) / nodes for k in range(nodes)]
    values = [function(mp.cos(angle)) for angle in angles]
    series = [2 * sum(y * mp.cos(j * a) for y, a in zip(values, angles)) / nodes for j in range(terms + 12)]
    series[0] /= 2
    powers, before, last = [mp.mpf(0)] * terms, [mp.mpf(1)], [mp.mpf(0), mp.mpf(1)]
    for c in series[:terms]:
        for k, t in enumerate(before):
            powers[k] += c * t
        after = [mp.mpf(0)] + [2 * t for t in last]
        for k, t in enumerate(before):
            after[k] -= t
        before, last = last, after
    return powers, sum(abs(c) for c in series[terms:])
