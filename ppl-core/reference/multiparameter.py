"""Log densities of distributions with vectors and matrices at 50 digits, each also compared with scipy where it has the distribution:
`python3 multiparameter.py > ../src/distributions/multiparameter/reference.rs` (mpmath 1.3.0, scipy 1.17.1)."""

import random

import mpmath as mp
import numpy
import scipy
from scipy import stats

mp.mp.dps = 50
ln, lgamma = mp.log, mp.loggamma
draw = random.Random(20)


def exact(x):
    return mp.matrix(x) if isinstance(x[0], list) else mp.matrix([[e] for e in x])


def quad(a, x):
    return (x.T * a * x)[0]


def ln_det(a):
    return ln(mp.det(a))


def ln_multigamma(x, n):
    return mp.mpf(n * (n - 1)) / 4 * ln(mp.pi) + sum(lgamma(x - mp.mpf(i) / 2) for i in range(n))


def symmetric(l):
    return l * l.T


def normal(x, loc, covariance):
    r = x - loc
    return -quad(covariance**-1, r) / 2 - ln_det(covariance) / 2 - mp.mpf(len(x)) / 2 * ln(2 * mp.pi)


def student(x, df, loc, scale):
    n, r = len(x), x - loc
    ends = lgamma((df + n) / 2) - lgamma(df / 2) - mp.mpf(n) / 2 * ln(df * mp.pi)
    return ends - ln_det(scale) / 2 - (df + n) / 2 * mp.log1p(quad(scale**-1, r) / df)


def ln_lkj_integral(eta, n):
    # Lewandowski, Kurowicka and Joe 2009, equation 16.
    ln_beta = lambda a: 2 * lgamma(a) - lgamma(2 * a)
    powers = sum((2 * eta - 2 + n - k) * (n - k) for k in range(1, n))
    return powers * ln(2) + sum((n - k) * ln_beta(eta + mp.mpf(n - k - 1) / 2) for k in range(1, n))


def lkj(r, eta):
    return (eta - 1) * ln_det(r) - ln_lkj_integral(eta, r.rows)


def lkj_cholesky(l, eta):
    n = l.rows
    return sum((n - 1 - i + 2 * (eta - 1)) * ln(l[i, i]) for i in range(1, n)) - ln_lkj_integral(eta, n)


def wishart(x, df, scale):
    n = x.rows
    inverse = scale**-1 * x
    trace = sum(inverse[i, i] for i in range(n))
    ends = df * n / 2 * ln(2) + df / 2 * ln_det(scale) + ln_multigamma(df / 2, n)
    return (df - n - 1) / 2 * ln_det(x) - trace / 2 - ends


def inverse_wishart(x, df, scale):
    n = x.rows
    inverse = scale * x**-1
    trace = sum(inverse[i, i] for i in range(n))
    ends = df / 2 * ln_det(scale) - df * n / 2 * ln(2) - ln_multigamma(df / 2, n)
    return ends - (df + n + 1) / 2 * ln_det(x) - trace / 2


def ln_jacobian(l):
    """Of X = L L^T, by the determinant of all derivatives of the elements on and below the diagonal."""
    n = l.rows
    places = [(i, j) for i in range(n) for j in range(i + 1)]
    rows = []
    for i, j in places:
        unit = mp.zeros(n)
        unit[i, j] = 1
        change = unit * l.T + l * unit.T
        rows.append([change[a, b] for a, b in places])
    return ln(abs(mp.det(mp.matrix(rows))))


def walk(x, scale):
    steps = [x[t] - (x[t - 1] if t > 0 else 0) for t in range(len(x))]
    return sum(-((s / scale) ** 2) / 2 - ln(scale) - ln(2 * mp.pi) / 2 for s in steps)


def orders(x, trials):
    return lgamma(trials + 1) - sum(lgamma(k + 1) for k in x)


def multinomial(x, trials, probs):
    return orders(x, trials) + sum(k * ln(p) for k, p in zip(x, probs) if k > 0)


def concrete(x, t, l):
    n = len(x)
    y = [l[k] - t * mp.log(x[k]) for k in range(n)]
    return mp.loggamma(n) + (n - 1) * mp.log(t) + sum(y[k] - mp.log(x[k]) for k in range(n)) - n * mp.log(sum(mp.exp(e) for e in y))


def dirichlet_multinomial(x, trials, a):
    each = sum(lgamma(b + k) - lgamma(b) for k, b in zip(x, a))
    return orders(x, trials) + lgamma(sum(a)) - lgamma(sum(a) + trials) + each


def between(x, predictor, cutpoints, cdf):
    k = int(x)
    with mp.workdps(900):
        high = cdf(cutpoints[k] - predictor) if k < len(cutpoints) else mp.mpf(1)
        low = cdf(cutpoints[k - 1] - predictor) if k > 0 else mp.mpf(0)
        return ln(high - low)


def logistic_cdf(x):
    return 1 / (1 + mp.exp(-x))


def normal_cdf(x):
    return mp.erfc(-x / mp.sqrt(2)) / 2


def rounded(low, high):
    return round(draw.uniform(low, high), 3)


def vector(n, low=-2, high=2):
    return [rounded(low, high) for _ in range(n)]


def factor(n, low=0.4, high=1.7):
    return [[rounded(low, high) if i == j else rounded(-1, 1) if j < i else 0.0 for j in range(n)] for i in range(n)]


def positive(n):
    l = numpy.array(factor(n))
    return numpy.round(l @ l.T, 4).tolist()


def correlation_factor(n):
    l = numpy.array(factor(n, 0.5, 1))
    return (l / numpy.sqrt((l * l).sum(1, keepdims=True))).tolist()


def correlation(n):
    l = numpy.array(correlation_factor(n))
    r = numpy.round(l @ l.T, 5)
    numpy.fill_diagonal(r, 1.0)
    return r.tolist()


def number(x):
    return repr(float(x))


def flat(x):
    if not isinstance(x, list):
        return [x]
    return [e for row in x for e in (row if isinstance(row, list) else [row])]


rows = []


def add(name, value, params, log_prob, by_scipy=None):
    if by_scipy is not None:
        assert abs(by_scipy - log_prob) < 1e-8 * (1 + abs(log_prob)), (name, by_scipy, log_prob)
    listed = ", ".join("&[%s]" % ", ".join(number(e) for e in flat(p)) for p in params)
    values = ", ".join(number(e) for e in flat(value))
    rows.append('    ("%s", &[%s], &[%s], %s),' % (name, values, listed, number(log_prob)))


for n in [1, 2, 3, 5]:
    x, loc, l, a = vector(n), vector(n), factor(n), positive(n)
    ex, eloc, el, ea = exact(x), exact(loc), exact(l), exact(a)
    nl, na = numpy.array(l), numpy.array(a)
    add("MultivariateNormalTril", x, [loc, l], normal(ex, eloc, symmetric(el)), stats.multivariate_normal.logpdf(x, loc, nl @ nl.T))
    add("MultivariateNormalCovariance", x, [loc, a], normal(ex, eloc, ea), stats.multivariate_normal.logpdf(x, loc, a))
    add("MultivariateNormalPrecision", x, [loc, a], normal(ex, eloc, ea**-1), stats.multivariate_normal.logpdf(x, loc, numpy.linalg.inv(na)))
    for df in [0.7, 4.0, 250.0]:
        add("MultivariateStudentT", x, [df, loc, l], student(ex, mp.mpf(df), eloc, symmetric(el)), stats.multivariate_t.logpdf(x, loc, nl @ nl.T, df))
    # Of more factors than numbers, a small diagonal has no digits.
    for r, small in [(1, 0.3), (2, 1e-4 if n > 1 else 0.3)]:
        f = [vector(r) for _ in range(n)]
        d = [small * e for e in vector(n, 0.5, 2)]
        ef = exact(f)
        covariance = ef * ef.T + mp.diag([mp.mpf(e) for e in d])
        add("MultivariateNormalLowRank", x, [loc, f, d], normal(ex, eloc, covariance))
    for scale in [0.3, 2.5]:
        add("GaussianRandomWalk", x, [scale], walk([mp.mpf(e) for e in x], mp.mpf(scale)))
# One number for all places.
x, l = vector(3), factor(3)
add("MultivariateNormalTril", x, [[0.25], l], normal(exact(x), exact([0.25] * 3), symmetric(exact(l))))
add("MultivariateStudentT", x, [3.0, [0.25], l], student(exact(x), mp.mpf(3), exact([0.25] * 3), symmetric(exact(l))))
f = [vector(2) for _ in range(3)]
add("MultivariateNormalLowRank", x, [[0.25], f, [0.5]], normal(exact(x), exact([0.25] * 3), exact(f) * exact(f).T + mp.eye(3) / 2))

for n in [1, 2, 3, 5]:
    for eta in [0.6, 1.0, 3.5]:
        l, r = correlation_factor(n), correlation(n)
        add("LkjCholesky", l, [eta], lkj_cholesky(exact(l), mp.mpf(eta)))
        add("LkjCorrelation", r, [eta], lkj(exact(r), mp.mpf(eta)))
    for df in [n - 0.6, n + 3.5, n + 40.0]:
        x, s, l, sl = positive(n), positive(n), factor(n), factor(n)
        ex, es, el, esl = exact(x), exact(s), exact(l), exact(sl)
        d = mp.mpf(df)
        # scipy has the distributions of df of at least n.
        of_scipy = df >= n
        add("Wishart", x, [df, s], wishart(ex, d, es), stats.wishart.logpdf(numpy.array(x), df, numpy.array(s)) if of_scipy else None)
        add("InverseWishart", x, [df, s], inverse_wishart(ex, d, es), stats.invwishart.logpdf(numpy.array(x), df, numpy.array(s)) if of_scipy else None)
        add("WishartCholesky", l, [df, sl], wishart(symmetric(el), d, symmetric(esl)) + ln_jacobian(el))
        add("InverseWishartCholesky", l, [df, sl], inverse_wishart(symmetric(el), d, symmetric(esl)) + ln_jacobian(el))

for trials, probs, counts in [
    (1, [0.25, 0.75], [0, 1]),
    (5, [0.5, 0.125, 0.375], [2, 0, 3]),
    (40, [0.0625, 0.3125, 0.5, 0.125], [3, 11, 20, 6]),
    (3, [0.0, 0.5, 0.5], [0, 1, 2]),
]:
    e = [mp.mpf(p) for p in probs]
    add("Multinomial", counts, [trials, probs], multinomial(counts, trials, e), stats.multinomial.logpmf(counts, trials, probs))
for trials, a, counts in [(1, [0.3, 1.2], [0, 1]), (5, [0.5, 2.0, 7.5], [2, 0, 3]), (40, [30.0, 0.1, 4.0, 2.0], [31, 1, 2, 6])]:
    e = [mp.mpf(b) for b in a]
    add("DirichletMultinomial", counts, [trials, a], dirichlet_multinomial(counts, trials, e), stats.dirichlet_multinomial.logpmf(counts, a, trials))
add("DirichletMultinomial", [1, 0, 4], [5, [0.75]], dirichlet_multinomial([1, 0, 4], 5, [mp.mpf(0.75)] * 3))

for t, l, x in [
    (0.5, [0.25, -1.5], [0.875, 0.125]),
    (1.25, [0.0, 2.0, -1.0], [0.25, 0.625, 0.125]),
    (0.125, [1.5, 0.5, -0.5, 3.0], [2.0**-40, 0.25, 2.0**-100, 0.75]),
    (4.0, [30.0, -30.0, 0.0], [0.5, 0.25, 0.25]),
    (0.75, [0.5], [0.25, 0.5, 0.25]),
]:
    each = l if len(l) == len(x) else l * len(x)
    add("Concrete", x, [t, l], concrete([mp.mpf(e) for e in x], mp.mpf(t), [mp.mpf(e) for e in each]))

for name, cdf, predictors in [("OrderedLogistic", logistic_cdf, [0.0, 1.3, -40.0, 300.0]), ("OrderedProbit", normal_cdf, [0.0, 1.3, -12.0, 30.0])]:
    for cutpoints in [[0.4], [-1.0, 0.3, 2.6], [-0.5, -0.25, 0.5, 1.0]]:
        for predictor in predictors:
            for k in range(len(cutpoints) + 1):
                add(name, k, [predictor, cutpoints], between(k, mp.mpf(predictor), [mp.mpf(c) for c in cutpoints], cdf))
add("OrderedLogistic", 1, [0.5, [0.3, 0.3 + 1e-9]], between(1, mp.mpf(0.5), [mp.mpf(0.3), mp.mpf(0.3 + 1e-9)], logistic_cdf))

print("//! Log densities of `reference/multiparameter.py` (mpmath %s, 50 digits; compared with scipy %s): (distribution, value, parameters, log density)." % (mp.__version__, scipy.__version__))
print("\npub(super) type Row = (&'static str, &'static [f64], &'static [&'static [f64]], f64);")
print("\n#[rustfmt::skip]")
print("pub(super) const REFERENCE: &[Row] = &[")
print("\n".join(rows))
print("];")
