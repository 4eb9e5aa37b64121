use ppl_core::model;

model! {
    pub Shapes(x: [f32; N, D], c: [f32; N, K], y: [f32; M], labels: [in K; N], decoder: net(Z => D), encoder: net(D + K => 2 * Z), Z: usize) {
        mu ~ Normal(0, 1);
        for n in N {
            z[n, Z] ~ Normal(0, 1);
            let a = encoder(x[n], c[n]);
            let (b, e, g) = split(encoder(x[n], c[n]));
            let h = decoder(x[n]);
            let k = decoder(z[n] + 1);
            let (p, q) = split(exp(z[n]));
            for d in D {
                let w = decoder(z[n]);
                x[n, d] ~ Normal(n, 1);
            }
            param s: positive = 1;
            c[n - 1, K] ~ Normal(x, 1);
            let all = sum(m in N => z[m]);
        }
    }
}

model! {
    pub NoPlate(x: [f32; N, D], decoder: net(Z => D), Z: usize) {
        z[Z] ~ Normal(0, 1);
    }
}

model! {
    pub Tuples(y: [f64; N]) {
        let (a, b) = y;
        mu ~ Normal(0, 1);
        for n in N {
            let (a, b) = split(exp(mu));
            y[n] ~ Normal(mu, 1);
        }
    }
}

fn main() {}
