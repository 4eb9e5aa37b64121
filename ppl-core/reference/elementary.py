"""Polynomials at 60 digits: `python3 elementary.py` prints those of `src/kernel/special/exponential.rs` and `error_function.rs` (mpmath 1.3.0)."""

import mpmath as mp
from chebyshev import polynomial

mp.mp.dps = 60
NODES = 100


def show(name, powers, rest):
    print(f"{name}: what is left out {mp.nstr(rest, 2)}")
    for c in powers:
        print(f"    {float(c)!r},")


def scaled_tail(x):
    """e^(x^2 / 2) P(Z > x), far out by its asymptotic series."""
    if x < 60:
        return mp.erfc(x / mp.sqrt(2)) * mp.exp(x * x / 2) / 2
    return sum((-1) ** n * mp.fac2(2 * n - 1) / x ** (2 * n + 1) for n in range(20)) / mp.sqrt(2 * mp.pi)


# e^r = 1 + r + r^2 q(r) for |r| <= ln 2 / 2, in powers of r.
half = mp.log(2) / 2 * mp.mpf("1.0001")
powers, rest = polynomial(lambda t: (mp.exp(half * t) - 1 - half * t) / (half * t) ** 2, 10, NODES)
show("exponential", [c / half**k for k, c in enumerate(powers)], rest * half**2)

# erf(x) / x for |x| <= 1/2, of t in [-1, 1] with x^2 = (t + 1) / 8, then in powers of x^2.
eighth = mp.mpf(1) / 8
powers, rest = polynomial(lambda t: mp.erf(mp.sqrt((t + 1) * eighth)) / mp.sqrt((t + 1) * eighth), 9, NODES)
of_z = [mp.mpf(0)] * len(powers)
for k, c in enumerate(powers):
    for i in range(k + 1):
        of_z[i] += c * mp.binomial(k, i) * mp.mpf(8) ** i * (-1) ** (k - i)
show("erf", of_z, rest)

# (1 + x) scaled_tail(x) for x >= 0, in powers of t = (x - 5) / (x + 5).
powers, rest = polynomial(lambda t: (1 + 5 * (1 + t) / (1 - t)) * scaled_tail(5 * (1 + t) / (1 - t)), 24, NODES)
show("scaled tail", powers, rest)
