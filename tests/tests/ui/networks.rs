use ppl_core::model;

model! {
    pub Shapes(x: [f32; N, D], c: [f32; N, K], y: [f32; M], labels: [Option<f32>; N], decoder: net(Z => D), encoder: net(D + K => 2 * Z), Z: usize) {
        mu ~ Normal(0, 1);
        decoder ~ StudentT(3, 0, 1);
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

model! {
    pub Pieces(word: [in V; N, T], x: [f32; N, H, W], f: net(Z => T * V), g: net(T * V + 1 => Z), Z: usize, V: usize) {
        for n in N {
            z[n, Z] ~ Normal(0, 1);
            let (a, b) = split(f(z[n]));
            let c = g(x[n], word[n], word[n]);
        }
    }
}

model! {
    pub Sequences(word: [in V; N, T], kind: [in K; N], on: [bool; N, T], f: net(Z => T * V), Z: usize, V: usize) {
        param table[K, V]: real = 0;
        for n in N {
            z[n, Z] ~ Normal(0, 1).mask(on[n, 0]);
            let logits = f(z[n]);
            for t in T {
                word[n, t] ~ Categorical(logits = table[kind[n]]);
                word[n, t] ~ Categorical(logits = logits[t]).mask(z[n, 0] > 0);
                word[n, t] ~ Categorical(logits = logits[t]).mask(on[n, t], t < 2);
                word[n, t] ~ Categorical(logits = logits[t]).mask(on[n, t]).mask(t < 2);
                word[n, t] ~ Categorical(logits = logits[t]).maks(on[n, t]);
            }
            let d = if on[n, 0] { 1 } else { 2 };
            factor(Normal(0, 1).mask(on[n, 0]).log_prob(1));
        }
    }
}

model! {
    pub Factors(x: [f32; N, D], f: net(0 * D => Z), g: net(D * => Z), h: net(D * D * 3 => 70000 * Z), Z: usize) {
        for n in N {
            z[n, Z] ~ Normal(0, 1);
        }
    }
}

model! {
    pub Masked(y: [f64; N], on: [bool; N]) {
        mu ~ Normal(0, 1);
        for n in N {
            y[n] ~ Normal(mu, 1).mask(0.5);
        }
    }
}

fn main() {}
