use ppl_core::prelude::*;

macro_rules! scaled {
    ($name:ident, $scale:expr) => {
        model! {
            pub $name(y: [f64; N]) {
                a ~ Normal(0, $scale);
            }
        }
    };
}

scaled!(Power, 2^2);
scaled!(Unknown, 2 * b);

fn main() {}
