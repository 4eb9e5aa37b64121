//! What a view of a model leaves as it is in the model.

/// Writes the named methods of [`LogJoint`](super::LogJoint) as those of another model: `forward!(|view| view.model; graph, observed);`.
macro_rules! forward {
    (|$view:ident| $model:expr; $($method:ident),* $(,)?) => {
        $(forward! { @$method |$view| $model })*
    };
    (@graph |$view:ident| $model:expr) => {
        fn graph(&self) -> &'static $crate::model::Graph {
            let $view = self;
            $model.graph()
        }
    };
    (@workspace |$view:ident| $model:expr) => {
        fn workspace(&self, samples: usize) -> $crate::model::Workspace<E> {
            let $view = self;
            $model.workspace(samples)
        }
    };
    (@unit_weights |$view:ident| $model:expr) => {
        fn unit_weights(&self, samples: usize) -> $crate::model::Weights<E> {
            let $view = self;
            $model.unit_weights(samples)
        }
    };
    (@constrain |$view:ident| $model:expr) => {
        fn constrain(&self, work: &mut $crate::model::Workspace<E>, log_det: &mut [f64]) {
            let $view = self;
            $model.constrain(work, log_det);
        }
    };
    (@unconstrain |$view:ident| $model:expr) => {
        fn unconstrain(&self, z: &[f64]) -> Result<Vec<f64>, (usize, usize)> {
            let $view = self;
            $model.unconstrain(z)
        }
    };
    (@accumulate |$view:ident| $model:expr) => {
        fn accumulate(
            &self,
            work: &mut $crate::model::Workspace<E>,
            weights: &$crate::model::Weights<E>,
            log_joint: &mut [f64],
        ) {
            let $view = self;
            $model.accumulate(work, weights, log_joint);
        }
    };
    (@complete |$view:ident| $model:expr) => {
        fn complete(&self, work: &mut $crate::model::Workspace<E>) {
            let $view = self;
            $model.complete(work);
        }
    };
    (@log_prob_rows |$view:ident| $model:expr) => {
        fn factor_rows(&self, factor: usize) -> usize {
            let $view = self;
            $model.factor_rows(factor)
        }

        fn log_prob_rows(
            &self,
            factor: usize,
            rows: std::ops::Range<usize>,
            work: &mut $crate::model::Workspace<E>,
            out: &mut [E],
        ) {
            let $view = self;
            $model.log_prob_rows(factor, rows, work, out);
        }
    };
    (@log_choices |$view:ident| $model:expr) => {
        fn choices(&self, sum: usize) -> Vec<usize> {
            let $view = self;
            $model.choices(sum)
        }

        fn log_choices(
            &self,
            sum: (usize, $crate::model::Choices),
            rows: std::ops::Range<usize>,
            work: &mut $crate::model::Workspace<E>,
            out: &mut [E],
        ) {
            let $view = self;
            $model.log_choices(sum, rows, work, out);
        }
    };
    (@walk |$view:ident| $model:expr) => {
        fn walk(&self, values: &mut [f64], observed: &mut [f64], visitor: &mut dyn $crate::model::Visitor) {
            let $view = self;
            $model.walk(values, observed, visitor);
        }

        fn observed(&self) -> Vec<f64> {
            let $view = self;
            $model.observed()
        }
    };
    (@reads |$view:ident| $model:expr) => {
        fn reads(&self, visitor: &mut dyn $crate::model::Visitor) {
            let $view = self;
            $model.reads(visitor);
        }
    };
    (@batch |$view:ident| $model:expr) => {
        fn batch(
            &self,
            batch: &$crate::model::Batch<'_>,
        ) -> Result<Box<dyn $crate::model::LogJoint<E> + Send + '_>, $crate::model::DataError> {
            let $view = self;
            $model.batch(batch)
        }
    };
    (@following |$view:ident| $model:expr) => {
        fn following(&self, plate: usize, rows: &[usize]) -> Vec<$crate::model::Following> {
            let $view = self;
            $model.following(plate, rows)
        }
    };
    (@locate |$view:ident| $model:expr) => {
        fn locate(&self, centred: usize, work: &mut $crate::model::Workspace<E>) {
            let $view = self;
            $model.locate(centred, work);
        }

        fn pull_locate(
            &self,
            centred: usize,
            work: &mut $crate::model::Workspace<E>,
            weights: &$crate::model::Weights<E>,
        ) {
            let $view = self;
            $model.pull_locate(centred, work, weights);
        }
    };
    (@pull_constrain |$view:ident| $model:expr) => {
        fn pull_constrain(&self, work: &mut $crate::model::Workspace<E>, weights: &$crate::model::Weights<E>) {
            let $view = self;
            $model.pull_constrain(work, weights);
        }
    };
}

pub(crate) use forward;
