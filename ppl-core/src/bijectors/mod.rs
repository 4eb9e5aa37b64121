//! From the unconstrained space, where guides live, to the supports of latents.

/// The map of one latent.
#[derive(Clone, Debug, Default)]
pub enum Bijector {
    /// The identity.
    #[default]
    Identity,
}
