use ppl_core::prelude::*;

model! {
    pub Parsed(y: [f64; N]) {
        auto 1;
        auto a,;
        auto b[k];
        auto c, type;
        auto d ~ Normal(0, 1);
        auto e, f let g = 2;
    }
}

model! {
    pub Misplaced(y: [f64; N]) {
        mu ~ Normal(0, 1);
        auto mu;
        for n in N {
            auto mu;
            y[n] ~ Normal(mu, 1);
        }
    }
}

fn main() {}
