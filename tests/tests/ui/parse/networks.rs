use ppl_core::model;

model! {
    pub Nets(x: [f32; N, D], a: net, b: net(D), c: net(D => ), d: net(-1 => D), e: net(D => D, 2)) {
        for n in N {
            z[n] ~ Normal(0, 1);
        }
    }
}

fn main() {}
