use ppl_core::prelude::*;

model! {
    pub Components(times: [f64; T], x0: [f64; G], K: usize) {
        a ~ Normal(0, 1);
        ode s in 0..times[t] for t in T {
            start(x) = 1;
        }
        ode s in 0..times[t] for t in T {
            start(u) = 1;
            start(u) = 2;
            d(u) = a;
        }
        ode s in 0..times[t] for t in T {
            start(v) = 1;
            d(v) = a;
            d(v) = s;
        }
        ode s in 0..times[t] for t in T {
            start(w[0]) = 1;
            start(p[G]) = x0;
            d(p[0]) = 1;
        }
    }
}

model! {
    pub Nowhere(times: [f64; T]) {
        ode s in 0..times[t] for t in T {
            d(y) = 1;
        }
    }
}

model! {
    pub Axes(times: [f64; T], x0: [f64; G], K: usize) {
        ode s in 0..times[t] for t in T {
            start(x[G]) = x0;
            d(x) = 1;
        }
        ode s in 0..times[t] for t in T {
            start(y[G]) = x0;
            d(y[K]) = 1;
        }
        ode s in 0..times[t] for t in T {
            start(z[G]) = x0;
            for g in G {
                for k in K {
                    d(z[g]) = z[k] + z[s] + z[g * g];
                }
            }
        }
        ode s in 0..times[t] for t in T {
            start(q[G]) = x0;
            for g in G {
                d(q[g]) = r * q;
            }
        }
    }
}

model! {
    pub Statements(times: [f64; T], y: [f64; T]) {
        a ~ Normal(0, 1);
        start(b) = 1;
        d(b) = 1;
        ode s in 0..times[t] for t in T {
            start(x) = 1 + x;
            c ~ Normal(x, 1);
            let e[t] = x;
            factor(x);
            param f: real = 1;
            sum k in 0..2 ~ Bernoulli(0.5) { factor(k); }
            ode u in 0..times[t] for t in T { start(v) = 1; d(v) = 1; }
            d(x) = a;
        }
        sum k in 0..2 ~ Bernoulli(0.5) {
            ode s in 0..times[t] for t in T { start(g) = k; d(g) = 1; }
        }
    }
}

model! {
    pub Times(times: [f64; T], y: [f64; T]) {
        a ~ HalfNormal(1);
        k ~ Bernoulli(0.5);
        ode s in 0..a * times[t] for t in T { start(x) = 1; d(x) = a; }
        ode s in a..times[t] for t in T { start(z) = 1; d(z) = a; }
        ode s in 0..times[t] for t in 1..T { start(u) = 1; d(u) = a; }
        ode s in 0..times[t] for t in T { start(v) = k; d(v) = a; }
    }
}

model! {
    pub Observed(times: [f64; T]) {
        a ~ HalfNormal(1);
        ode s in 0..times[t] for t in T { start(x) = 1; d(x) = a; }
        for t in T {
            times[t] ~ Normal(x[t], 1);
        }
    }
}

model! {
    pub Fine(times: [f64; T], y: [f64; T]) {
        a ~ Normal(0, 1);
        ode s in 0..times[t] for t in T { start(x) = 1; d(x) = a; }
        for t in T {
            y[t] ~ Normal(x[t], 1);
        }
    }
}

guide! {
    pub FineGuide for Fine() {
        ode s in 0..times[t] for t in T { start(b) = 1; d(b) = 1; }
        a ~ Normal(0, 1);
    }
}

model! {
    pub Rows(y: [f32; N, D], times: [f32; T], decoder: net(Z => D), Z: usize) {
        ode s in 0..times[t] for t in T { start(b) = 1; d(b) = 1; }
        for n in N {
            z[n, Z] ~ Normal(0, 1);
            ode s in 0..times[t] for t in T { start(x) = 1; d(x) = 1; }
            y[n, D] ~ Normal(decoder(z[n]), 1);
        }
    }
}

fn main() {}
