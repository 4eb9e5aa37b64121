//! Observers are told of every step, and may end a fit; what it has found until then is kept.

use std::ops::ControlFlow;

use ppl_core::fit::StepInfo;
use ppl_core::guides::FlowKind;
use ppl_core::prelude::*;

model! {
    /// A skewed posterior, which no guide meets at once.
    pub Skewed(y: [u64; N]) {
        rate ~ Gamma(2, 1);
        shape ~ Gamma(2, 1);
        for n in N {
            y[n] ~ Poisson(rate * shape);
        }
    }
}

/// Asks for the end after some steps.
#[derive(Debug)]
struct After(usize);

impl Observer for After {
    fn on_step(&mut self, step: &StepInfo<'_>) -> ControlFlow<()> {
        if step.step + 1 >= self.0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

#[test]
fn an_observer_may_end_a_fit_of_any_kind() -> Result<(), FitError> {
    let model = Skewed { y: vec![3, 1, 4] };
    let flow = Family::Flow(FlowKind::Planar { layers: 2 });
    for (family, optimizer) in [
        (Family::FullRank, Optimizer::Auto),
        (Family::MeanField, Optimizer::Auto),
        (Family::FullRank, Optimizer::Adam),
        (flow, Optimizer::Auto),
    ] {
        let trace = Trace::every(1);
        let observers: Vec<Box<dyn Observer>> = vec![Box::new(trace.clone()), Box::new(After(3))];
        let fit = fit_bbvi(&model, Bbvi { family, optimizer, observers, ..Bbvi::default() })?;
        assert_eq!((fit.stop_reason(), fit.steps()), (&StopReason::Asked, 3), "{family:?}");
        assert_eq!(trace.data().steps, [0, 1, 2], "{family:?}");
        assert!(fit.elbo().0.is_finite() && fit.summary().to_string().contains("stopped as an observer asked"));
    }
    Ok(())
}
