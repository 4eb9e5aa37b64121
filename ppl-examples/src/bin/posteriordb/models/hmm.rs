//! A hidden Markov model of the shots of a basketball player: `hmm_example-hmm_example`.

use ppl_core::prelude::*;

use super::{Fitted, Run, number};
use crate::database::{Data, Failure};

model! {
    /// A chain of hidden states, each with a mean; where it begins is not known.
    pub(crate) Hmm(y: [f64; T], K: usize) {
        let start[K] = 1 / K;
        for k in K {
            theta[k, K] ~ Dirichlet(1);
        }
        mu[K] ~ Ordered(FlatPositive);
        factor(Normal(3, 1).log_prob(mu[0]) + Normal(10, 1).log_prob(mu[1]));
        sum z[t] in K for t in T {
            z[0] ~ Categorical(start);
            z[t] ~ Categorical(theta[z[t - 1]]);
            y[t] ~ Normal(mu[z[t]], 1);
        }
    }
}

pub(crate) fn fit(data: &Data, run: &mut Run) -> Result<Fitted, Failure> {
    let model = Hmm { y: data.reals("y")?, K: data.count("K")? };
    let mut names = vec![number("mu[0]", "mu[1]"), number("mu[1]", "mu[2]")];
    for k in 0..2 {
        names.extend((0..2).map(|j| (format!("theta[{k}, {j}]"), format!("theta{}[{}]", k + 1, j + 1))));
    }
    run.fitted(&model, &names)
}
