#[ppl_core::function]
fn not_over_lanes(x: f64) -> f64 {
    x
}

#[ppl_core::function]
struct NotAFunction;

#[ppl_core::distribution]
fn not_an_implementation() {}

fn main() {}
