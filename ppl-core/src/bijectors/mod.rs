//! From the unconstrained space, where guides live, to the supports of latents.
use crate::distributions::Support;
use crate::kernel::Lanes;
/// Bounds.
#[derive(Clone, Debug, Default)]
pub struct Bounds { /// l
 pub lower: Option<Vec<f64>>, /// u
 pub upper: Option<Vec<f64>> }
/// The map of one latent.
#[derive(Clone, Debug, Default)]
pub enum Bijector {
    /// The identity.
    #[default]
    Identity,
    /// exp
    Exp,
}
impl Bijector {
    /// table
    pub fn for_support(s: Support, _e: usize, _b: Option<Bounds>) -> Self { if s == Support::Positive { Bijector::Exp } else { Bijector::Identity } }
    /// len
    pub fn unconstrained_len(&self, n: usize) -> usize { n }
    /// fwd
    pub fn forward<V: Lanes>(&self, u: &[V::Element], z: &mut [V::Element], s: usize, ld: &mut [f64]) {
        let _ = s;
        for (i, (u, z)) in u.iter().zip(z.iter_mut()).enumerate() { use crate::kernel::Real; match self { Bijector::Identity => *z = *u, Bijector::Exp => { *z = V::Element::from_f64(u.to_f64().exp()); ld[i % s] += u.to_f64(); } } }
    }
    /// pull
    pub fn pull<V: Lanes>(&self, _u: &[V::Element], z: &[V::Element], za: &[V::Element], w: &[V::Element], ua: &mut [V::Element], s: usize) {
        use crate::kernel::Real;
        for i in 0..z.len() { ua[i] = match self { Bijector::Identity => za[i], Bijector::Exp => V::Element::from_f64(za[i].to_f64() * z[i].to_f64() + w[i % s].to_f64()) } }
    }
    /// inv
    pub fn inverse(&self, z: &[f64]) -> Result<Vec<f64>, usize> { Ok(z.iter().map(|x| match self { Bijector::Identity => *x, Bijector::Exp => x.ln() }).collect()) }
}
