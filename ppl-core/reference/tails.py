"""Distribution functions at 50 digits: writes src/distributions/reference_tails.rs.

python3 reference/tails.py > src/distributions/reference_tails.rs    (mpmath 1.3.0)
"""

import mpmath as mp

mp.mp.dps = 50


def gamma(x, a, rate):
    return mp.gammainc(a, 0, rate * x, regularized=True), mp.gammainc(a, rate * x, mp.inf, regularized=True)


def beta(x, a, b):
    return mp.betainc(a, b, 0, x, regularized=True), mp.betainc(a, b, x, 1, regularized=True)


def student(x, df, loc, scale):
    z = (x - loc) / scale
    share = df / (df + z * z)
    tail = mp.betainc(df / 2, mp.mpf(1) / 2, 0, share, regularized=True) / 2
    return (tail, 1 - tail) if z < 0 else (1 - tail, tail)


def skew(x, loc, scale, shape):
    z = (x - loc) / scale
    density = lambda t: 2 * mp.npdf(t) * mp.ncdf(shape * t)
    width = 1 / (1 + abs(shape) * 3)
    below = mp.quad(density, [-mp.inf, z - 8, z - 2, z - 4 * width, z - width, z])
    above = mp.quad(density, [z, z + width, z + 4 * width, z + 2, z + 8, mp.inf])
    return below, above


def negative_binomial(x, mean, dispersion):
    return beta(dispersion / (mean + dispersion), dispersion, x + 1)


def gamma_density(x, a, rate):
    return rate**a * x ** (a - 1) * mp.exp(-rate * x) / mp.gamma(a)


def beta_density(x, a, b):
    return x ** (a - 1) * (1 - x) ** (b - 1) / mp.beta(a, b)


def student_density(x, df, loc, scale):
    z = (x - loc) / scale
    return (1 + z * z / df) ** (-(df + 1) / 2) / (mp.sqrt(df) * mp.beta(df / 2, mp.mpf(1) / 2) * scale)


def skew_density(x, loc, scale, shape):
    z = (x - loc) / scale
    return 2 * mp.npdf(z) * mp.ncdf(shape * z) / scale


def negative_binomial_density(x, mean, dispersion):
    share = dispersion / (mean + dispersion)
    return mp.binomial(x + dispersion - 1, x) * share**dispersion * (1 - share) ** x


CASES = [
    ("Gamma", gamma, gamma_density, [
        ((0.01, 1), [1e-60, 1e-8, 0.3, 0.9, 1.1, 5]), ((0.3, 2), [1e-9, 0.1, 0.49, 0.51, 4, 40]), ((1, 1), [1e-6, 0.999, 1.001, 30]),
        ((2.5, 0.7), [1e-4, 1, 3.5, 3.7, 20, 300]), ((100, 1), [40, 99, 100, 101, 200]), ((1e5, 1), [98000, 99990, 100010, 102000]),
    ]),
    ("Beta", beta, beta_density, [
        ((0.05, 0.3), [1e-30, 1e-3, 0.4, 0.9, 0.999]), ((1, 1), [1e-5, 0.3, 0.5, 0.8]), ((2, 5), [1e-6, 0.1, 0.28, 0.3, 0.9, 0.9999]),
        ((0.5, 30), [1e-8, 0.01, 0.02, 0.4]), ((300, 200), [0.4, 0.59, 0.61, 0.8]),
    ]),
    ("StudentT", student, student_density, [
        ((0.3, 0, 1), [-1e6, -2, -0.01, 0.5, 1e4]), ((1, 0, 1), [-1e8, -1, 0.2, 30]), ((4, 1, 2), [-100, -3, 0.9, 1.1, 4, 1000]),
        ((30, 0, 1), [-8, -0.5, 3]), ((1e6, 0, 1), [-6, 0.7]),
    ]),
    ("SkewNormal", skew, skew_density, [
        ((0, 1, 3), [-4, -0.3, 0.2, 0.9, 6]), ((1, 2, -0.7), [-9, 0, 1.5, 6]), ((0, 1, 0), [-3, 1]), ((0, 1, 50), [-0.1, 0.001, 2]),
    ]),
    ("NegativeBinomial", negative_binomial, negative_binomial_density, [
        ((3, 0.4), [0, 2, 40]), ((10, 5), [0, 9, 60]),
    ]),
]


def number(x):
    return repr(float(x))


print("//! Where numbers stand in distributions: written by `reference/tails.py` (mpmath, 50 digits).")
print()
print("/// Distribution, parameters, number, `ln P(X <= x)`, `ln P(X > x)`, velocities.")
print("#[rustfmt::skip]")
print("pub(super) const TAILS: &[(&str, &[f64], f64, f64, f64, &[f64])] = &[")
for name, tails, density, cases in CASES:
    for params, values in cases:
        params = [mp.mpf(p) for p in params]
        for x in map(mp.mpf, values):
            below, above = tails(x, *params)
            velocity = []
            for i in range(len(params)):
                moved = lambda t: tails(x, *params[:i], t, *params[i + 1 :])[0 if below < above else 1]
                step = mp.mpf(10) ** -12 * (1 + abs(params[i])) if params[i] == 0 else mp.mpf(10) ** -12 * params[i]
                slope = (moved(params[i] + step) - moved(params[i] - step)) / (2 * step)
                velocity.append((-slope if below < above else slope) / density(x, *params))
            listed = ", ".join(number(p) for p in params)
            print(f'    ("{name}", &[{listed}], {number(x)}, {number(mp.log(below))}, {number(mp.log(above))}, &[{", ".join(map(number, velocity))}]),')
print("];")
