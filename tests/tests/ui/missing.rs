use ppl_core::prelude::*;

model! {
    pub Missing(
        undeclared: [Option<f64>; N],
        counts: [Option<u64>; N],
        early: [Option<f64>; N],
        shares: [Option<f64>; N, K],
        partly: [Option<f64>; N],
        condition: [Option<f64>; N],
        switched: [Option<f64>; N],
    ) {
        for n in N {
            a[n] ~ Normal(early[n], 1);
            early[n] ~ Normal(0, 1);
            shares[n, K] ~ Dirichlet(1);
            switched[n] ~ Poisson(3);
            condition[n] ~ Normal(0, 1);
            b[n] ~ Normal(if condition[n] > 0 { 1 } else { 2 }, 1);
        }
        partly[0] ~ Normal(0, 1);
    }
}

fn main() {}
