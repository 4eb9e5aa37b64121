//! The derivatives of the functions of the language, of the argument and the value; as generated code calls them.

use super::Lanes;

/// Of `exp`: `y`.
#[inline(always)]
pub fn exp<V: Lanes>(_x: V, y: V) -> V {
    y
}

/// Of `ln`: `1 / x`.
#[inline(always)]
pub fn ln<V: Lanes>(x: V, _y: V) -> V {
    V::constant(1.0) / x
}

/// Of `log1p`: `1 / (1 + x)`.
#[inline(always)]
pub fn log1p<V: Lanes>(x: V, _y: V) -> V {
    V::constant(1.0) / (V::constant(1.0) + x)
}

/// Of `expm1`: `y + 1`.
#[inline(always)]
pub fn expm1<V: Lanes>(_x: V, y: V) -> V {
    y + V::constant(1.0)
}

/// Of `sqrt`: `1 / (2 y)`.
#[inline(always)]
pub fn sqrt<V: Lanes>(_x: V, y: V) -> V {
    V::constant(0.5) / y
}

/// Of `abs`: the sign, zero at zero.
#[inline(always)]
pub fn abs<V: Lanes>(x: V, _y: V) -> V {
    let below = V::select(x.lt(V::zero()), V::constant(-1.0), V::zero());
    V::select(V::zero().lt(x), V::constant(1.0), below)
}

/// Of `sin`: `cos x`.
#[inline(always)]
pub fn sin<V: Lanes>(x: V, _y: V) -> V {
    Lanes::cos(x)
}

/// Of `cos`: `-sin x`.
#[inline(always)]
pub fn cos<V: Lanes>(x: V, _y: V) -> V {
    -Lanes::sin(x)
}

/// Of `tanh`: `1 - y^2`.
#[inline(always)]
pub fn tanh<V: Lanes>(_x: V, y: V) -> V {
    (-y).mul_add(y, V::constant(1.0))
}

/// Of `sigmoid`: `y (1 - y)`.
#[inline(always)]
pub fn sigmoid<V: Lanes>(_x: V, y: V) -> V {
    y * (V::constant(1.0) - y)
}

/// Of `logit`: `1 / (x (1 - x))`.
#[inline(always)]
pub fn logit<V: Lanes>(x: V, _y: V) -> V {
    V::constant(1.0) / (x * (V::constant(1.0) - x))
}

/// Of `softplus`: `sigmoid x`.
#[inline(always)]
pub fn softplus<V: Lanes>(x: V, _y: V) -> V {
    Lanes::sigmoid(x)
}

/// Of `erf`: `2 / sqrt(pi) e^(-x^2)`.
#[inline(always)]
pub fn erf<V: Lanes>(x: V, _y: V) -> V {
    V::constant(std::f64::consts::FRAC_2_SQRT_PI) * Lanes::exp(-(x * x))
}

/// Of `normal_cdf`: the standard normal density.
#[inline(always)]
pub fn normal_cdf<V: Lanes>(x: V, _y: V) -> V {
    V::constant(0.398_942_280_401_432_7) * Lanes::exp(V::constant(-0.5) * x * x)
}

/// Of `lgamma`: `digamma x`.
#[inline(always)]
pub fn lgamma<V: Lanes>(x: V, _y: V) -> V {
    Lanes::digamma(x)
}

/// Of `powf`, in the base and the exponent: `e x^(e - 1)` and `y ln x` (zero where the base is zero).
#[inline(always)]
pub fn powf<V: Lanes>(x: V, exponent: V, y: V) -> [V; 2] {
    let in_base = exponent * Lanes::powf(x, exponent - V::constant(1.0));
    let in_exponent = V::select(x.eq(V::zero()), V::zero(), y * Lanes::ln(x));
    [in_base, in_exponent]
}

/// Of `min`, in both: one for the smaller (a half each where they are equal).
#[inline(always)]
pub fn min<V: Lanes>(a: V, b: V, _y: V) -> [V; 2] {
    share(a.lt(b), a.eq(b))
}

/// Of `max`, in both: one for the larger (a half each where they are equal).
#[inline(always)]
pub fn max<V: Lanes>(a: V, b: V, _y: V) -> [V; 2] {
    share(b.lt(a), a.eq(b))
}

#[inline(always)]
fn share<V: Lanes>(first: V::Mask, equal: V::Mask) -> [V; 2] {
    let (zero, half, one) = (V::zero(), V::constant(0.5), V::constant(1.0));
    [V::select(equal, half, V::select(first, one, zero)), V::select(equal, half, V::select(first, zero, one))]
}

/// Of `log_sum_exp`, in both: `e^(a - y)` and `e^(b - y)` (zero where both are `-inf`).
#[inline(always)]
pub fn log_sum_exp<V: Lanes>(a: V, b: V, y: V) -> [V; 2] {
    let nothing = y.eq(V::constant(f64::NEG_INFINITY));
    // No closure: it would not be compiled for the instruction set of its caller.
    [V::select(nothing, V::zero(), Lanes::exp(a - y)), V::select(nothing, V::zero(), Lanes::exp(b - y))]
}

/// Of the arc tangent: `1 / (1 + x^2)`.
#[inline(always)]
pub fn atan<V: Lanes>(x: V, _y: V) -> V {
    V::constant(1.0) / x.mul_add(x, V::constant(1.0))
}

/// Of `trigamma`: minus twice the sum of `1 / (x + k)^3`, by recurrence and its asymptotic series.
#[inline(always)]
pub fn trigamma<V: Lanes>(x: V, _y: V) -> V {
    let (one, two) = (V::constant(1.0), V::constant(2.0));
    let mut sum = V::zero();
    let mut i = 0;
    while i < 10 {
        let term = x + V::constant(f64::from(i));
        sum = sum + two / (term * term * term);
        i += 1;
    }
    let y = x + V::constant(10.0);
    let inverse = one / y;
    let square = inverse * inverse;
    // 1 / y^2 + 1 / y^3 + 1 / 2y^4 - 1 / 6y^6 + 1 / 6y^8 - 3 / 10y^10
    let tail = (square.mul_add(V::constant(-0.3), V::constant(1.0 / 6.0)).mul_add(square, V::constant(-1.0 / 6.0)))
        .mul_add(square, V::constant(0.5));
    let series = square + square * inverse + tail * square * square;
    -(sum + series)
}
