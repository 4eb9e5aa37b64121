"""Log densities of the catalogue at 50 digits: `python3 densities.py > ../src/distributions/reference.rs` (mpmath 1.3.0)."""

import mpmath as mp

mp.mp.dps = 50
ln, exp, lgamma = mp.log, mp.exp, mp.loggamma


def ln_beta(a, b):
    return lgamma(a) + lgamma(b) - lgamma(a + b)


def ln_normal(z):
    return -z * z / 2 - ln(2 * mp.pi) / 2


def normal_cdf(z):
    return mp.erfc(-z / mp.sqrt(2)) / 2


def student(x, df, loc, scale):
    z = (x - loc) / scale
    return -ln_beta(df / 2, mp.mpf(1) / 2) - ln(df) / 2 - ln(scale) - (df + 1) / 2 * mp.log1p(z * z / df)


def gamma(x, shape, rate):
    return shape * ln(rate) - lgamma(shape) + (shape - 1) * ln(x) - rate * x


def inverse_gamma(x, shape, scale):
    return shape * ln(scale) - lgamma(shape) - (shape + 1) * ln(x) - scale / x


def choose(n, k):
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)


def negative_binomial(x, mean, dispersion):
    total = mean + dispersion
    of_gammas = lgamma(x + dispersion) - lgamma(dispersion) - lgamma(x + 1)
    return of_gammas + x * ln(mean / total) + dispersion * ln(dispersion / total)


def asymmetric_laplace(x, loc, scale, k):
    z = (x - loc) / scale
    return (-z * k if z >= 0 else z / k) - ln(scale) - ln(k + 1 / k)


def triangular(x, lower, upper, peak):
    part = (x - lower) / (peak - lower) if x < peak else (upper - x) / (upper - peak)
    return ln(2) - ln(upper - lower) + ln(part)


def sigmoid(x):
    return 1 / (1 + exp(-x))


def log_normal(x, m, s):
    return ln_normal((ln(x) - m) / s) - ln(s) - ln(x)


def fisher(x, a, b):
    return a / 2 * ln(a * x / b) - (a + b) / 2 * mp.log1p(a * x / b) - ln(x) - ln_beta(a / 2, b / 2)


def gumbel(x, m, s):
    z = (x - m) / s
    return -z - exp(-z) - ln(s)


def logistic(x, m, s):
    z = abs(x - m) / s
    return -z - 2 * mp.log1p(exp(-z)) - ln(s)


def weibull(x, k, s):
    return ln(k / s) + (k - 1) * ln(x / s) - (x / s) ** k


def frechet(x, k, s):
    return ln(k / s) - (1 + k) * ln(x / s) - (x / s) ** -k


def gompertz(x, shape, rate):
    return ln(shape) + ln(rate) + rate * x - shape * mp.expm1(rate * x)


def relaxed_bernoulli(x, t, l):
    z = t * ln(x / (1 - x)) - l
    return ln(t) - z - 2 * mp.log1p(exp(-z)) - ln(x) - mp.log1p(-x)


def kumaraswamy(x, a, b):
    return ln(a) + ln(b) + (a - 1) * ln(x) + (b - 1) * mp.log1p(-(x**a))


def binomial(x, n, p):
    return choose(n, x) + x * ln(p) + (n - x) * mp.log1p(-p)


def chi_squared(x, df):
    return gamma(x, df / 2, mp.mpf(1) / 2)


def inverse_chi_squared(x, df):
    return inverse_gamma(x, df / 2, mp.mpf(1) / 2)


def beta(x, a, b):
    return (a - 1) * ln(x) + (b - 1) * mp.log1p(-x) - ln_beta(a, b)


def beta_prime(x, a, b):
    return (a - 1) * ln(x) - (a + b) * mp.log1p(x) - ln_beta(a, b)


def pareto(x, lower, shape):
    return ln(shape) + shape * ln(lower) - (shape + 1) * ln(x)


def von_mises(x, loc, concentration):
    return concentration * mp.cos(x - loc) - ln(2 * mp.pi * mp.besseli(0, concentration))


def negative_binomial_prob(x, n, p):
    return lgamma(x + n) - lgamma(n) - lgamma(x + 1) + n * ln(p) + x * mp.log1p(-p)


def hypergeometric(x, draws, successes, failures):
    return choose(successes, x) + choose(failures, draws - x) - choose(successes + failures, draws)


def skellam(x, a, b):
    return -a - b + x / 2 * ln(a / b) + ln(mp.besseli(abs(x), 2 * mp.sqrt(a * b)))


def half(density):
    return lambda x, *params: ln(2) + density(x, *params)


REAL = [-3.2, -0.4, 0.7, 5.1]
TAILS = [-45.0, 60.0]
POSITIVE = [0.02, 0.6, 1.9, 7.3]
FAR = [1e-8, 150.0]
UNIT = [0.02, 0.35, 0.5, 0.97]
EDGES = [1e-9, 0.999999]
COUNTS = [0, 1, 4, 17]
FEW = [0, 2, 9]
ABOVE = [1.51, 1.6, 3.0, 150.0]
WHOLE = [-17, -3, 0, 1, 8, 40]

# (distribution, density, parameters, values)
TABLE = [
    ("Normal", lambda x, m, s: ln_normal((x - m) / s) - ln(s), [(0.3, 1.7), (-2.0, 0.05)], REAL + TAILS),
    ("HalfNormal", half(lambda x, s: ln_normal(x / s) - ln(s)), [(1.7,), (0.2,)], POSITIVE + FAR[:1]),
    ("LogNormal", log_normal, [(0.3, 1.7), (-1.0, 0.3)], POSITIVE + FAR),
    ("StudentT", student, [(4.0, 0.3, 1.7), (0.7, -1.0, 0.2), (300.0, 0.0, 1.0)], REAL + TAILS),
    ("HalfStudentT", half(lambda x, df, s: student(x, df, 0, s)), [(4.0, 1.7), (1.5, 0.3)], POSITIVE + FAR),
    ("Cauchy", lambda x, m, s: student(x, mp.mpf(1), m, s), [(0.3, 1.7)], REAL + TAILS),
    ("HalfCauchy", half(lambda x, s: student(x, mp.mpf(1), 0, s)), [(1.7,)], POSITIVE + FAR),
    ("Laplace", lambda x, m, s: -abs(x - m) / s - ln(2 * s), [(0.3, 1.7)], REAL + TAILS),
    ("AsymmetricLaplace", asymmetric_laplace, [(0.3, 1.7, 0.6), (-1.0, 0.4, 2.5)], REAL + TAILS),
    ("Logistic", logistic, [(0.3, 1.7), (-2.0, 0.2)], REAL + TAILS),
    ("Gumbel", gumbel, [(0.3, 1.7), (-2.0, 0.5)], REAL + TAILS[1:]),
    ("SkewNormal", lambda x, m, s, a: ln(2) + ln_normal((x - m) / s) - ln(s) + ln(normal_cdf(a * (x - m) / s)), [(0.3, 1.7, 4.0), (-1.0, 0.8, -1.5)], REAL + [-12.0, 15.0]),
    ("Exponential", lambda x, r: ln(r) - r * x, [(1.7,), (0.02,)], POSITIVE + FAR),
    ("Gamma", gamma, [(0.3, 1.7), (9.0, 0.4), (0.01, 1.0)], POSITIVE + FAR),
    ("Erlang", gamma, [(1, 1.7), (9, 0.4)], POSITIVE + FAR),
    ("InverseGamma", inverse_gamma, [(0.3, 1.7), (9.0, 4.0)], POSITIVE + FAR[1:]),
    ("ChiSquared", chi_squared, [(1.3,), (11.0,)], POSITIVE + FAR),
    ("InverseChiSquared", inverse_chi_squared, [(1.3,), (11.0,)], POSITIVE + FAR[1:]),
    ("FisherSnedecor", fisher, [(3.0, 7.0), (20.0, 1.5), (0.8, 300.0)], POSITIVE + FAR),
    ("BetaPrime", beta_prime, [(0.5, 1.3), (6.0, 11.0)], POSITIVE + FAR),
    ("Weibull", weibull, [(0.7, 1.4), (3.5, 2.0)], POSITIVE + FAR[:1]),
    ("Frechet", frechet, [(0.7, 1.4), (3.5, 2.0)], POSITIVE + FAR[1:]),
    ("Rayleigh", lambda x, s: ln(x) - 2 * ln(s) - (x / s) ** 2 / 2, [(1.7,), (0.3,)], POSITIVE + FAR[:1]),
    ("Gompertz", gompertz, [(0.4, 0.9), (2.0, 0.3)], POSITIVE + FAR[:1]),
    ("Beta", beta, [(0.5, 1.3), (6.0, 11.0), (1.0, 1.0)], UNIT + EDGES),
    ("Kumaraswamy", kumaraswamy, [(0.5, 1.3), (6.0, 11.0), (2.0, 0.4)], UNIT + EDGES),
    ("LogitNormal", lambda x, m, s: ln_normal((ln(x / (1 - x)) - m) / s) - ln(s) - ln(x) - mp.log1p(-x), [(0.3, 1.7), (-1.0, 0.4)], UNIT + EDGES),
    ("RelaxedBernoulli", relaxed_bernoulli, [(0.7, 0.3), (0.5, -2.0), (3.0, 1.5)], UNIT + EDGES),
    ("Uniform", lambda x, a, b: -ln(b - a), [(-3.5, 5.5)], REAL),
    ("LogUniform", lambda x, a, b: -ln(x) - ln(ln(b / a)), [(0.01, 8.0), (0.001, 1e4)], POSITIVE),
    ("Triangular", triangular, [(-3.5, 5.5, 0.5), (-3.5, 5.5, 4.0)], REAL),
    ("Pareto", pareto, [(1.5, 0.8), (0.2, 6.5)], ABOVE),
    ("VonMises", von_mises, [(0.3, 1.7), (-2.0, 40.0), (1.0, 0.001), (3.0, 16.5)], REAL + TAILS),
    ("BernoulliProb", lambda x, p: x * ln(p) + (1 - x) * mp.log1p(-p), [(0.3,), (0.999,)], [0, 1]),
    ("BernoulliLogit", lambda x, l: x * l - mp.log1p(exp(l)), [(0.8,), (-40.0,), (30.0,)], [0, 1]),
    ("BinomialProb", binomial, [(9, 0.3), (9, 0.98)], FEW),
    ("BinomialLogit", lambda x, n, l: binomial(x, n, sigmoid(l)), [(9, 0.8), (9, -3.0)], FEW),
    ("BetaBinomial", lambda x, n, a, b: choose(n, x) + ln_beta(x + a, n - x + b) - ln_beta(a, b), [(9, 0.5, 1.3), (9, 6.0, 2.0)], FEW),
    ("PoissonRate", lambda x, r: x * ln(r) - r - lgamma(x + 1), [(3.1,), (0.2,)], COUNTS),
    ("PoissonLog", lambda x, l: x * l - exp(l) - lgamma(x + 1), [(0.4,), (3.0,)], COUNTS),
    ("NegativeBinomial", negative_binomial, [(3.1, 1.5), (0.4, 20.0)], COUNTS),
    ("NegativeBinomialProb", negative_binomial_prob, [(3.1, 0.3), (0.4, 0.05), (1.0, 0.98)], COUNTS),
    ("Hypergeometric", hypergeometric, [(9, 11, 13), (9, 400, 300)], FEW),
    ("DiscreteUniform", lambda x, a, b: -ln(b - a + 1), [(0, 9), (0, 30)], FEW),
    ("DiscreteUniform", lambda x, a, b: -ln(b - a + 1), [(2, 7)], [2, 5, 7]),
    ("Skellam", skellam, [(3.1, 1.2), (0.2, 6.0), (40.0, 55.0), (900.0, 1.5)], WHOLE),
    ("Geometric", lambda x, p: ln(p) + x * mp.log1p(-p), [(0.3,), (0.02,)], COUNTS),
]


def number(x):
    return repr(float(x))


print("//! Log densities of `reference/densities.py` (mpmath %s, 50 digits): (distribution, parameters, value, log density)." % mp.__version__)
print("\n#[rustfmt::skip]")
print("pub(super) const REFERENCE: &[(&str, &[f64], f64, f64)] = &[")
for name, density, all_params, values in TABLE:
    for params in all_params:
        for value in values:
            exact = density(mp.mpf(value), *[mp.mpf(p) for p in params])
            listed = ", ".join(number(p) for p in params)
            print('    ("%s", &[%s], %s, %s),' % (name, listed, number(value), number(exact)))
print("];")
