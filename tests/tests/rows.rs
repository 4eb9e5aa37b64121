//! Models of one row: their data differ from lane to lane, and stand in the workspace beside the latents.
#![forbid(unsafe_code)]

use ppl_core::amortized::{Call, CallOperand, RowGuide as _, RowModel as _};
use ppl_core::networks::Mlp;
use ppl_core::prelude::*;

model! {
    /// One row of a factor analysis with counts, and what a network would give as parameters.
    #[ppl(row)]
    Row(x: [f64; D], c: [u64; D], on: bool, D: usize, Z: usize) {
        param h[D]: real = 0;
        param s: positive = 1;
        z[Z] ~ Normal(0, 1);
        let lean = sum(i in Z => z[i]);
        x[D] ~ Normal(h, s);
        c[D] ~ Poisson(exp(0.3 * h + 0.1 * lean));
        on ~ Bernoulli(logit = lean + 0.2 * x[0]);
    }
}

model! {
    /// The same with data of its own.
    Whole(x: [f64; D], c: [u64; D], on: bool, Z: usize) {
        param h[D]: real = 0;
        param s: positive = 1;
        z[Z] ~ Normal(0, 1);
        let lean = sum(i in Z => z[i]);
        x[D] ~ Normal(h, s);
        c[D] ~ Poisson(exp(0.3 * h + 0.1 * lean));
        on ~ Bernoulli(logit = lean + 0.2 * x[0]);
    }
}

fn data(row: usize) -> Whole {
    let number = |i: usize| ppl_core::random::uniform(1, (10 * row + i) as u64);
    Whole {
        x: (0..3).map(|d| 2.0 * number(d) - 1.0).collect(),
        c: (3..6).map(|d| u64::from(number(d) > 0.3) + 2 * u64::from(number(d) > 0.6)).collect(),
        on: number(7) > 0.5,
        Z: 2,
    }
}

const DECODER: &[Call] = &[Call { network: 0, operands: &[CallOperand::whole("z")], results: &["decoder_of_z"] }];
const ENCODER: &[Call] = &[Call { network: 0, operands: &[CallOperand::whole("x")], results: &["loc", "log_scale"] }];
const MEAN: &[Call] = &[Call { network: 0, operands: &[CallOperand::whole("x")], results: &["mean"] }];

#[test]
fn lanes_of_a_row_are_rows_of_data() {
    let row = Row { D: 3, Z: 2 };
    let bound = row.bind().expect("sizes alone");
    let lanes = 16;
    let mut work = bound.workspace(lanes);
    let unknowns = bound.layout().unconstrained();
    let u: Vec<f64> = (0..unknowns * lanes).map(|i| ppl_core::random::uniform(2, i as u64) - 0.5).collect();
    work.u_mut().copy_from_slice(&u);
    let names: Vec<&str> = bound.layout().inputs.iter().map(|input| input.name).collect();
    assert_eq!(names, ["x", "c", "on"]);
    for lane in 0..lanes {
        let Whole { x, c, on, .. } = data(lane);
        let values: Vec<f64> = x.into_iter().chain(c.into_iter().map(|c| c as f64)).chain([f64::from(u8::from(on))]).collect();
        let rows = bound.layout().inputs.iter().flat_map(|input| input.rows.clone());
        rows.zip(values).for_each(|(row, value)| work.values[row * lanes + lane] = value);
    }
    let mut found = vec![0.0; lanes];
    bound.log_density(&mut work, &bound.unit_weights(lanes), &mut found);
    for lane in 0..lanes {
        let model = data(lane);
        let whole = model.bind().expect("good data");
        let mut own = whole.workspace(8);
        for i in 0..unknowns {
            own.u_mut()[i * 8..(i + 1) * 8].fill(u[i * lanes + lane]);
        }
        let mut expected = vec![0.0; 8];
        whole.log_density(&mut own, &whole.unit_weights(8), &mut expected);
        assert!((found[lane] - expected[0]).abs() < 1e-12 * expected[0].abs(), "{} {}", found[lane], expected[0]);
        for i in 0..unknowns {
            let (found, expected) = (work.gradient()[i * lanes + lane], own.gradient()[i * 8]);
            assert!((found - expected).abs() < 1e-12 * (1.0 + expected.abs()), "{i}: {found} {expected}");
        }
    }
}

model! {
    /// A guide of one row.
    #[ppl(row)]
    GuideRow(x: [f64; D], D: usize, Z: usize) {
        param loc[Z]: real = 0;
        param log_scale[Z]: real = 0;
        z[Z] ~ Normal(loc + x[0], exp(log_scale));
        w ~ Normal(z[0], 2);
    }
}

#[test]
fn every_latent_of_a_guide_is_located() {
    let row = GuideRow { D: 3, Z: 2 };
    let bound = row.bind().expect("sizes alone");
    let layout = bound.layout();
    assert_eq!(layout.centred.len(), 2);
    let lanes = 8;
    let mut work = bound.workspace(lanes);
    for (i, x) in work.values.iter_mut().enumerate() {
        *x = 0.1 * (i % 7) as f64 - 0.2;
    }
    bound.locate(0, &mut work);
    let first = |name: &str| layout.variables.iter().find(|v| v.name == name).expect("a variable").rows.start;
    let at = |row: usize, lane: usize| work.values[row * lanes + lane];
    for lane in 0..lanes {
        for i in 0..2 {
            let x = at(layout.inputs[0].rows.start, lane);
            assert!((at(layout.centred[0].location().start + i, lane) - at(first("loc") + i, lane) - x).abs() < 1e-15);
            assert!((at(layout.centred[0].scale().start + i, lane) - at(first("log_scale") + i, lane).exp()).abs() < 1e-15);
        }
    }
}

model! {
    /// Variational auto-encoder (Kingma & Welling 2014).
    pub Vae(x: [bool; N, D], decoder: net(Z => D), Z: usize) {
        for n in N {
            z[n, Z] ~ Normal(0, 1);
            x[n, D] ~ Bernoulli(logit = decoder(z[n]));
        }
    }
}

ppl_core::guide! {
    /// Amortized Gaussian posterior: the recognition network.
    pub Encoder for Vae(encoder: net(D => 2 * Z)) {
        for n in N {
            let (loc, log_scale) = split(encoder(x[n]));
            z[n, Z] ~ Normal(loc, exp(log_scale));
        }
    }
}

fn vae() -> Vae {
    let decoder = Mlp::new(&[2, 8, 5]).build(1).expect("sizes");
    Vae { x: ndarray::Array2::from_shape_fn((7, 5), |(n, d)| (n * d) % 3 == 1), decoder, Z: 2 }
}

#[test]
fn a_model_with_a_network_is_its_row_and_a_call() {
    let model = vae();
    let bound = model.bind_rows().expect("good data");
    assert_eq!((bound.rows, bound.row.D, bound.row.Z), (7, 5, 2));
    assert_eq!(bound.calls, DECODER);
    assert_eq!(bound.inputs[0].data[..5], [0.0_f32, 0.0, 0.0, 0.0, 0.0]);
    assert_eq!(bound.inputs[0].data[5..10], [0.0_f32, 1.0, 0.0, 0.0, 1.0]);
    let guide = Encoder { encoder: Mlp::new(&[5, 8, 4]).build(2).expect("sizes") };
    let own = guide.bind_guide(&bound).expect("good sizes");
    assert_eq!(own.calls, ENCODER);
    assert_eq!(own.row.bind().expect("sizes alone").layout().centred.len(), 1);
    let wrong = Encoder { encoder: Mlp::new(&[5, 8, 3]).build(2).expect("sizes") };
    assert_eq!(
        wrong.bind_guide(&bound).err().expect("a wrong size").to_string(),
        "`Encoder`: the network `encoder` gives 3 numbers for a row, but `2 * Z` is 4; build it for that many"
    );
}

model! {
    /// A regression on a network with latent weights.
    pub Bayesian(x: [f64; N, D], y: [f64; N], f: net(D => 1)) {
        param sigma: positive = 0.5;
        f ~ Normal(0, 2);
        for n in N {
            let mean = f(x[n]);
            y[n] ~ Normal(mean, sigma);
        }
    }
}

#[test]
fn weights_are_latent_by_a_statement_and_rows_without_latents_need_no_guide() {
    let f = Mlp::new(&[1, 3, 1]).build(1).expect("sizes");
    let model = Bayesian { x: ndarray::Array2::zeros((4, 1)), y: vec![0.0; 4], f };
    let bound = model.bind_rows().expect("good data");
    assert_eq!(bound.priors, [(0, 2.0)]);
    assert_eq!(bound.calls, MEAN);
    assert_eq!(().bind_guide(&bound).expect("nothing to bind").calls, []);
}
