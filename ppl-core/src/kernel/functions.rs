//! The functions of the language by their words, as generated code calls them.

use super::Lanes;

macro_rules! functions {
    ($($(#[$doc:meta])* $word:ident = $method:ident($($other:ident),*));* $(;)?) => {
        $(
            $(#[$doc])*
            #[inline(always)]
            pub fn $word<V: Lanes>(x: V $(, $other: V)*) -> V {
                Lanes::$method(x $(, $other)*)
            }
        )*
    };
}

functions! {
    /// `e^x`
    exp = exp();
    /// The natural logarithm.
    ln = ln();
    /// `ln(1 + x)`
    log1p = ln_1p();
    /// `e^x - 1`
    expm1 = exp_m1();
    /// The square root.
    sqrt = sqrt();
    /// The absolute value.
    abs = abs();
    /// The sine.
    sin = sin();
    /// The cosine.
    cos = cos();
    /// The hyperbolic tangent.
    tanh = tanh();
    /// `1 / (1 + e^-x)`
    sigmoid = sigmoid();
    /// `ln(x / (1 - x))`
    logit = logit();
    /// `ln(1 + e^x)`
    softplus = softplus();
    /// The error function.
    erf = erf();
    /// The standard normal cumulative distribution function.
    normal_cdf = normal_cdf();
    /// The logarithm of the gamma function.
    lgamma = lgamma();
    /// `x^exponent`
    powf = powf(exponent);
    /// The smaller of two.
    min = min(other);
    /// The larger of two.
    max = max(other);
}

/// `ln(e^a + e^b)`, without overflow.
#[inline(always)]
pub fn log_sum_exp<V: Lanes>(a: V, b: V) -> V {
    let larger = a.max(b);
    let difference = (a - b).abs();
    // Two infinities of one sign differ by NaN; their sum is either of them.
    let same = a.eq(b);
    let finite = larger + (-difference).exp().ln_1p();
    V::select(same, larger + V::constant(std::f64::consts::LN_2), finite)
}

/// `ln(sum of e^x)` of values that come one by one, rescaled by the largest so far.
#[derive(Clone, Copy, Debug)]
pub struct LogSumExp<V> {
    largest: V,
    sum: V,
}

impl<V: Lanes> Default for LogSumExp<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V: Lanes> LogSumExp<V> {
    /// The sum of nothing: `-inf`.
    #[inline(always)]
    #[must_use]
    pub fn new() -> Self {
        LogSumExp { largest: V::constant(f64::NEG_INFINITY), sum: V::zero() }
    }

    /// Adds `e^x`.
    #[inline(always)]
    pub fn push(&mut self, x: V) {
        // The greater of the two is the scale, so that one exponential is of the other.
        let greater = self.largest.lt(x);
        let (largest, least) = (V::select(greater, x, self.largest), V::select(greater, self.largest, x));
        // While all are `-inf` there is nothing to add.
        let nothing = largest.eq(V::constant(f64::NEG_INFINITY)) & least.eq(largest);
        let ratio = V::select(nothing, V::zero(), (least - largest).exp());
        self.sum = V::select(greater, self.sum.mul_add(ratio, V::constant(1.0)), self.sum + ratio);
        self.largest = largest;
    }

    /// The logarithm of the sum.
    #[inline(always)]
    #[must_use]
    pub fn value(self) -> V {
        // Of nothing the sum is zero, and no number of what is none.
        let nothing = self.largest.eq(V::constant(f64::NEG_INFINITY));
        self.largest + V::select(nothing, self.sum, self.sum.ln())
    }
}

/// `ln n!`
pub fn ln_factorial(n: usize) -> f64 {
    Lanes::ln_factorial(n as f64)
}
