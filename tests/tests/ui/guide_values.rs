use ppl_core::prelude::*;

model! {
    pub Wide(y: [f64; C], high: f64) {
        limit ~ Uniform(0, high);
        floor ~ Truncated(Normal(0, 1), lower = 0);
        top ~ Truncated(Normal(0, 1), upper = 0);
        cut[C] ~ Ordered(Normal(0, 1));
        wait[C] ~ Ordered(Gamma(1, 1));
        share[C] ~ Dirichlet(1);
        omega[C, C] ~ LkjCholesky(2);
        r[C, C] ~ LkjCorrelation(2);
        v[C, C] ~ WishartCholesky(8, omega);
        u[C, C] ~ Wishart(8, r);
        y[C] ~ Normal(limit + floor + top + cut[0] + wait[0], 1);
    }
}

guide! {
    pub Nothing for Wide() {}
}

guide! {
    pub Others for Wide() {
        limit ~ Truncated(Normal(0, 1), lower = 1, upper = high);
        floor ~ Truncated(Normal(0, 1), lower = 1);
        top ~ Truncated(Normal(0, 1), lower = 0);
        cut[C] ~ Normal(0, 1);
        wait[C] ~ Ordered(Normal(1, 1));
        share[C] ~ Ordered(Normal(1, 1));
        omega[C, C] ~ LkjCorrelation(2);
        r[C, C] ~ LkjCholesky(2);
        v[C, C] ~ Wishart(8, r);
        u[C, C] ~ WishartCholesky(8, omega);
    }
}

guide! {
    pub Learned for Wide() {
        param low: real = 0;
        auto floor, top, cut, wait, share, omega, r, v, u;
        limit ~ Truncated(Normal(1, 1), lower = low, upper = high);
    }
}

fn main() {}
