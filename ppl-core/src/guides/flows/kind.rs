//! The kinds of flows: which layers each is made of.

use serde::{Deserialize, Serialize};

use super::FlowError;
use super::affine::Affine;
use super::autoregressive::Autoregressive;
use super::layer::Layer;
use super::planar::Planar;
use super::spline::{MOST_BINS, Spline};

/// What a [`Flow`](super::Flow) is made of. The functions below give each kind with sizes that do for most posteriors.
///
/// Networks have one hidden layer of `hidden` units, with hyperbolic tangents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum FlowKind {
    /// Pushes along directions, the cheapest and the stiffest.
    ///
    /// # Source
    /// Rezende & Mohamed 2015, Variational inference with normalizing flows.
    Planar {
        /// How many pushes, 1 or more.
        layers: usize,
    },
    /// Couplings that shift and scale one half of the dimensions by the other.
    ///
    /// # Source
    /// Dinh, Sohl-Dickstein & Bengio 2017, Density estimation using Real NVP.
    RealNvp {
        /// How many couplings, 1 or more; every second one changes the other half.
        layers: usize,
        /// Hidden units of each network, 1 or more.
        hidden: usize,
    },
    /// Shifts and scales of each dimension by all before it. The density of a draw whose noise is not known takes as many passes of each network as
    /// there are dimensions.
    ///
    /// # Source
    /// Kingma, Salimans, Jozefowicz, Chen, Sutskever & Welling 2016, Improved variational inference with inverse autoregressive flow.
    InverseAutoregressive {
        /// How many layers, 1 or more; the order of the dimensions is turned around from each to the next.
        layers: usize,
        /// Hidden units of each network, 1 or more.
        hidden: usize,
    },
    /// Couplings that bend one half of the dimensions by the other, by monotone rational-quadratic splines, and then shift and scale it.
    ///
    /// # Source
    /// Durkan, Bekasov, Murray & Papamakarios 2019, Neural spline flows.
    NeuralSpline {
        /// How many couplings, 1 or more; every second one changes the other half.
        layers: usize,
        /// Hidden units of each network, 1 or more.
        hidden: usize,
        /// Pieces of each spline, 2 to 16.
        bins: usize,
    },
}

impl Default for FlowKind {
    fn default() -> Self {
        Self::neural_spline()
    }
}

impl FlowKind {
    /// 16 pushes.
    #[must_use]
    pub fn planar() -> Self {
        FlowKind::Planar { layers: 16 }
    }

    /// 6 couplings with 32 hidden units.
    #[must_use]
    pub fn real_nvp() -> Self {
        FlowKind::RealNvp { layers: 6, hidden: 32 }
    }

    /// 4 layers with 32 hidden units.
    #[must_use]
    pub fn inverse_autoregressive() -> Self {
        FlowKind::InverseAutoregressive { layers: 4, hidden: 32 }
    }

    /// 4 couplings with 32 hidden units and 8 bins: the default.
    #[must_use]
    pub fn neural_spline() -> Self {
        FlowKind::NeuralSpline { layers: 4, hidden: 32, bins: 8 }
    }

    /// Its name, for a report.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            FlowKind::Planar { .. } => "planar flow",
            FlowKind::RealNvp { .. } => "real NVP flow",
            FlowKind::InverseAutoregressive { .. } => "inverse autoregressive flow",
            FlowKind::NeuralSpline { .. } => "neural spline flow",
        }
    }

    /// Checks the sizes.
    ///
    /// # Errors
    /// [`FlowError::Size`].
    pub fn check(self) -> Result<(), FlowError> {
        let (layers, hidden, bins) = match self {
            FlowKind::Planar { layers } => (layers, 1, 2),
            FlowKind::RealNvp { layers, hidden } | FlowKind::InverseAutoregressive { layers, hidden } => (layers, hidden, 2),
            FlowKind::NeuralSpline { layers, hidden, bins } => (layers, hidden, bins),
        };
        for (field, value, range) in [("layers", layers, 1..=1000), ("hidden", hidden, 1..=10_000), ("bins", bins, 2..=MOST_BINS)]
        {
            if !range.contains(&value) {
                return Err(FlowError::Size { field, value, least: *range.start(), most: *range.end() });
            }
        }
        Ok(())
    }

    /// The layers, in the order from noise to draws.
    pub(super) fn layers(self, dimensions: usize) -> Vec<Box<dyn Layer>> {
        let each = |layers: usize, layer: &dyn Fn(usize) -> Box<dyn Layer>| (0..layers).map(layer).collect();
        match self {
            FlowKind::Planar { layers } => each(layers, &|_| Box::new(Planar { dimensions })),
            FlowKind::RealNvp { layers, hidden } => {
                each(layers, &|layer| Box::new(Autoregressive::coupling(Affine, dimensions, layer, hidden)))
            }
            FlowKind::InverseAutoregressive { layers, hidden } => {
                each(layers, &|layer| Box::new(Autoregressive::ordered(Affine, dimensions, layer, hidden)))
            }
            FlowKind::NeuralSpline { layers, hidden, bins } => {
                each(layers, &|layer| Box::new(Autoregressive::coupling(Spline { bins }, dimensions, layer, hidden)))
            }
        }
    }
}
