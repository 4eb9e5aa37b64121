"""The Skellam density and its derivatives at 50 digits: `python3 skellam.py` prints the rows of the test of
`src/distributions/skellam_terms.rs` (mpmath 1.3.0). Where mpmath's series are too long, Hankel's expansion."""

import mpmath as mp

mp.mp.dps = 50

def ln_scaled(n, z):
    """ln(e^-z I_n(z))"""
    if z < 2000:
        return mp.log(mp.besseli(n, z)) - z
    # Hankel's expansion, whose first neglected term is below the last digit where n^2 is not much larger than z.
    total = term = mp.mpf(1)
    for k in range(1, 400):
        term *= -(4 * mp.mpf(n) ** 2 - (2 * k - 1) ** 2) / (8 * k * z)
        total += term
        if abs(term) < mp.mpf(10) ** -45 * abs(total):
            return mp.log(total / mp.sqrt(2 * mp.pi * z))
    raise ValueError("no convergence")

def log_prob(x, a, b):
    z = 2 * mp.sqrt(a * b)
    return -((mp.sqrt(a) - mp.sqrt(b)) ** 2) + mp.mpf(x) / 2 * mp.log(a / b) + ln_scaled(abs(x), z)

CASES = [
    (0, 1e-9, 1e-9), (3, 1e-9, 1e-9), (-2, 1e-9, 5.0), (7, 19.0, 21.0), (12, 19.9, 19.9), (13, 20.0, 20.0), (-39, 1e-3, 1.0),
    (-40, 1e-3, 1.0), (-41, 1e-3, 1.0), (200, 0.5, 0.7), (5000, 4900.0, 3.0), (5000, 1e-3, 1e-3), (-1000, 300.0, 500.0),
    (0, 1e4, 1e4), (150, 1e4, 1e4), (-9, 1e8, 1e8), (20000, 1e8, 1e8), (5, 123456.0, 123400.0),
]
for x, a, b in CASES:
    exact_a, exact_b = mp.mpf(a), mp.mpf(b)
    at = lambda shift: log_prob(x + shift, exact_a, exact_b)
    row = [x, a, b, at(0), mp.expm1(at(-1) - at(0)), mp.expm1(at(1) - at(0))]
    print("        [%s]," % ", ".join(repr(float(v)) for v in row))
