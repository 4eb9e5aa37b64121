//! Activations by name: what a layer does to each number last.

use std::fmt;
use std::str::FromStr;

use super::NetworkError;
use super::elementwise::Function;
use crate::kernel::Lanes;

/// A function of each feature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Activation {
    /// `x`.
    #[default]
    Identity,
    /// The hyperbolic tangent.
    Tanh,
    /// `max(x, 0)`.
    Relu,
    /// `x` above zero, `0.01 x` below (Maas, Hannun & Ng 2013).
    LeakyRelu,
    /// `x Phi(x)` with the standard normal distribution function, not its approximation (Hendrycks & Gimpel 2016).
    Gelu,
    /// `x sigmoid(x)` (Elfwing, Uchibe & Doya 2018), also called swish.
    Silu,
    /// `ln(1 + e^x)`.
    Softplus,
    /// `1 / (1 + e^-x)`.
    Sigmoid,
    /// `x` above zero, `e^x - 1` below (Clevert, Unterthiner & Hochreiter 2016).
    Elu,
}

/// All activations with their names.
const ALL: [(&str, Activation); 9] = [
    ("identity", Activation::Identity),
    ("tanh", Activation::Tanh),
    ("relu", Activation::Relu),
    ("leaky_relu", Activation::LeakyRelu),
    ("gelu", Activation::Gelu),
    ("silu", Activation::Silu),
    ("softplus", Activation::Softplus),
    ("sigmoid", Activation::Sigmoid),
    ("elu", Activation::Elu),
];

impl Activation {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Activation> {
        ALL.into_iter().map(|(_, activation)| activation)
    }

    /// Whether its derivative is computed from its argument; else from its value.
    pub(super) fn needs_argument(self) -> bool {
        matches!(self, Activation::Gelu | Activation::Silu)
    }
}

impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = ALL.iter().find(|(_, activation)| activation == self).map_or("?", |(name, _)| name);
        f.write_str(name)
    }
}

impl FromStr for Activation {
    type Err = NetworkError;

    /// By its name, such as `leaky_relu`.
    fn from_str(name: &str) -> Result<Self, NetworkError> {
        ALL.iter().find(|(known, _)| *known == name).map(|(_, activation)| *activation).ok_or_else(|| {
            let known = ALL.map(|(name, _)| name).join(", ");
            NetworkError::UnknownActivation { name: name.to_owned(), known }
        })
    }
}

macro_rules! function {
    ($name:ident, |$x:ident| $value:expr, |$kept:ident| $slope:expr) => {
        /// The activation of this name.
        #[derive(Clone, Copy, Debug)]
        pub(super) struct $name;

        impl Function for $name {
            #[inline(always)]
            fn value<V: Lanes>(self, $x: V) -> V {
                $value
            }
            #[inline(always)]
            fn slope<V: Lanes>(self, $kept: V) -> V {
                $slope
            }
        }
    };
}

function!(Identity, |x| x, |y| {
    let _ = y;
    V::constant(1.0)
});
function!(Tanh, |x| x.tanh(), |y| V::constant(1.0) - y * y);
function!(Relu, |x| x.max(V::zero()), |y| V::select(V::zero().lt(y), V::constant(1.0), V::zero()));
function!(LeakyRelu, |x| V::select(x.lt(V::zero()), x * V::constant(0.01), x), |y| V::select(
    V::zero().lt(y),
    V::constant(1.0),
    V::constant(0.01)
));
function!(Gelu, |x| x * x.normal_cdf(), |x| {
    let density = (V::constant(-0.5) * x * x).exp() * V::constant(0.398_942_280_401_432_7);
    x.mul_add(density, x.normal_cdf())
});
function!(Silu, |x| x * x.sigmoid(), |x| {
    let s = x.sigmoid();
    s * (V::constant(1.0) + x * (V::constant(1.0) - s))
});
function!(Softplus, |x| x.softplus(), |y| -(-y).exp_m1());
function!(Sigmoid, |x| x.sigmoid(), |y| y * (V::constant(1.0) - y));
// `e^x - 1` of the negative part alone: elsewhere it could overflow.
function!(Elu, |x| V::select(x.lt(V::zero()), x.min(V::zero()).exp_m1(), x), |y| V::select(
    y.lt(V::zero()),
    y + V::constant(1.0),
    V::constant(1.0)
));

/// Runs an expression with the function of an activation.
macro_rules! with_function {
    ($activation:expr, $function:ident => $body:expr) => {{
        use $crate::networks::Activation;
        use $crate::networks::activation as functions;
        match $activation {
            Activation::Identity => {
                let $function = functions::Identity;
                $body
            }
            Activation::Tanh => {
                let $function = functions::Tanh;
                $body
            }
            Activation::Relu => {
                let $function = functions::Relu;
                $body
            }
            Activation::LeakyRelu => {
                let $function = functions::LeakyRelu;
                $body
            }
            Activation::Gelu => {
                let $function = functions::Gelu;
                $body
            }
            Activation::Silu => {
                let $function = functions::Silu;
                $body
            }
            Activation::Softplus => {
                let $function = functions::Softplus;
                $body
            }
            Activation::Sigmoid => {
                let $function = functions::Sigmoid;
                $body
            }
            Activation::Elu => {
                let $function = functions::Elu;
                $body
            }
        }
    }};
}
pub(super) use with_function;
