use ppl_core::prelude::*;

model! {
    pub Heads(times: [f64; T]) {
        ode 1 in 0..times[t] for t in T { start(x) = 1; d(x) = 1; }
        ode s { start(x) = 1; d(x) = 1; }
        ode s in T for t in T { start(x) = 1; d(x) = 1; }
        ode s in 0..times[t] { start(x) = 1; d(x) = 1; }
        ode s in 0..times[t] for t in T;
        ode s in 0..times[t] for t in T, steps = 0 { start(x) = 1; d(x) = 1; }
        ode s in 0..times[t] for t in T, tolerance = 1 { start(x) = 1; d(x) = 1; }
    }
}

model! {
    pub Equations(times: [f64; T]) {
        ode s in 0..times[t] for t in T {
            start(1) = 1;
            start() = 1;
            start(x);
            d(x, y) = 1;
            d(x) =;
            d(x) ~ Normal(0, 1);
            start(y) = ;
        }
    }
}

fn main() {}
