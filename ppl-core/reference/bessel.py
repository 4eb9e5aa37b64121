"""The modified Bessel functions I0 and I1 at 50 digits: `python3 bessel.py` prints the polynomials of `src/kernel/special/bessel.rs`,
and the rows of its test (mpmath 1.3.0)."""

import mpmath as mp
from chebyshev import polynomial

mp.mp.dps = 50
FROM = mp.mpf(16)
TERMS, NODES = 14, 64


def ln_scaled(x):
    return mp.log(mp.besseli(0, x)) - x


def rest(x):
    return 1 - mp.besseli(1, x) / mp.besseli(0, x)


def grouped(x):
    """A number with its decimals in threes."""
    mantissa, _, exponent = repr(float(x)).partition("e")
    whole, _, decimals = mantissa.partition(".")
    threes = "_".join(decimals[i : i + 3] for i in range(0, len(decimals), 3)) or "0"
    return whole[: len(whole) - len(whole.lstrip("-"))] + f"{abs(int(whole)):_}" + "." + threes + ("e" + str(int(exponent)) if exponent else "")


for name, function in [
    ("LN_SCALED", lambda x: ln_scaled(x) + mp.log(2 * mp.pi * x) / 2),
    ("REST", lambda x: x * rest(x)),
]:
    print("const %s: [f64; %d] = [" % (name, TERMS))
    # Of a function of 1 / x, in powers of 2 FROM / x - 1.
    for c in polynomial(lambda t: function(2 * FROM / (t + 1)), TERMS, NODES)[0]:
        print("    %s," % grouped(c))
    print("];")

for x in [1e-8, 1e-5, 1e-3, 0.1, 0.5, 1.0, 2.5, 6.0, 11.0, 15.999, 16.0, 16.5, 21.0, 40.0, 101.5, 1e3, 12345.678, 1e6, 1e8]:
    exact = mp.mpf(x)
    row = [x, mp.log(mp.besseli(0, exact)), ln_scaled(exact), 1 - rest(exact), rest(exact)]
    print("    [%s]," % ", ".join(grouped(v) for v in row))
