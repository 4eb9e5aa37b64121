use ppl_core::prelude::*;

model! {
    pub Loops(y: [f64; N]) {
        for 1 in N { }
        for n of N { let wrong = 1^2; }
        for n in 1..=3 { }
        for n in N + 1 { }
        for n in N;
        while true { }
        loop { }
        let a = for n in N { 1 };
    }
}

fn main() {}
