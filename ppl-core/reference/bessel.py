"""The modified Bessel functions I0 and I1 at 50 digits: `python3 bessel.py` prints the polynomials of `src/kernel/special/bessel.rs`,
and the rows of its test (mpmath 1.3.0)."""

import mpmath as mp

mp.mp.dps = 50
FROM = mp.mpf(16)
TERMS, NODES = 14, 64


def ln_scaled(x):
    return mp.log(mp.besseli(0, x)) - x


def rest(x):
    return 1 - mp.besseli(1, x) / mp.besseli(0, x)


def polynomial(function):
    """The coefficients of the Chebyshev interpolant of a function of 1 / x in powers of 2 FROM / x - 1."""
    angles = [mp.pi * (k + mp.mpf(1) / 2) / NODES for k in range(NODES)]
    values = [function(2 * FROM / (mp.cos(angle) + 1)) for angle in angles]
    series = [2 * sum(y * mp.cos(j * a) for y, a in zip(values, angles)) / NODES for j in range(TERMS)]
    series[0] /= 2
    powers, before, last = [mp.mpf(0)] * TERMS, [mp.mpf(1)], [mp.mpf(0), mp.mpf(1)]
    for j, c in enumerate(series):
        for k, t in enumerate(before):
            powers[k] += c * t
        after = [mp.mpf(0)] + [2 * t for t in last]
        for k, t in enumerate(before):
            after[k] -= t
        before, last = last, after
    return powers


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
    for c in polynomial(function):
        print("    %s," % grouped(c))
    print("];")

for x in [1e-8, 1e-5, 1e-3, 0.1, 0.5, 1.0, 2.5, 6.0, 11.0, 15.999, 16.0, 16.5, 21.0, 40.0, 101.5, 1e3, 12345.678, 1e6, 1e8]:
    exact = mp.mpf(x)
    row = [x, mp.log(mp.besseli(0, exact)), ln_scaled(exact), 1 - rest(exact), rest(exact)]
    print("    [%s]," % ", ".join(grouped(v) for v in row))
