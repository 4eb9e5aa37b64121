//! Natural-gradient steps of one normal distribution.

/// The most that a location moves in a step of length one, in standard deviations of the guide before it; in a shorter one, this times the root of its length.
pub(super) const FARTHEST: f64 = 5.0;

/// The most that a precision grows in a step, as a factor: by one draw far from the others an expectation may be wrong by any factor.
const SHARPEST: f64 = 10.0;

/// The changes of the location and of the logarithm of the scale of a normal distribution by a natural-gradient step, of the given lengths (at most one): in the
/// natural parameters, the precision and the precision times the location, the step is `rate` times the gradient by the mean parameters. `d_loc` and `d_log_scale` are
/// the derivatives of the ELBO.
///
/// The precision becomes `(1 - rate) precision + rate E[-d2 log p / du2]`, and the expectation is `(1 - d_log_scale) precision`: it stays positive, as the factor
/// `1 + d` becomes `-1 / (4 d)` where `d` is below -1/2. The location moves in units of the new precision.
///
/// # Source
/// Khan & Rue 2023, The Bayesian learning rule, section 4.1; Hoffman et al. 2013, section 2.
pub(crate) fn natural_step(log_scale: f64, [of_loc, of_scale]: [f64; 2], d_loc: f64, d_log_scale: f64) -> (f64, f64) {
    let d = -of_scale * d_log_scale;
    let factor = if d < -0.5 { -0.25 / d } else { (1.0 + d).min(SHARPEST) };
    let scale = log_scale.exp();
    let step = of_loc * d_loc * scale * scale / factor;
    let most = FARTHEST * scale * of_loc.sqrt();
    (step.clamp(-most, most), -0.5 * factor.ln())
}

#[cfg(test)]
mod tests {
    use super::natural_step;

    /// Of a normal target the ELBO is `-((loc - m)^2 + scale^2) / (2 s^2) + ln scale`.
    #[test]
    fn one_whole_step_finds_a_normal_posterior() {
        let (m, s) = (1.3_f64, 0.7_f64);
        for (loc, log_scale) in [(0.0_f64, 0.0_f64), (3.0, 0.5), (1.5, -0.3)] {
            let scale = log_scale.exp();
            let (d_loc, d_log_scale) = ((m - loc) / (s * s), 1.0 - (scale / s).powi(2));
            let (to_loc, to_log_scale) = natural_step(log_scale, [1.0, 1.0], d_loc, d_log_scale);
            assert!((log_scale + to_log_scale - s.ln()).abs() < 1e-12 && (loc + to_loc - m).abs() < 1e-12);
        }
    }

    #[test]
    fn a_step_is_finite_however_wrong_the_curvature_is() {
        for d_log_scale in [-1e6, 0.0, 1e2] {
            let (to_loc, to_log_scale) = natural_step(0.0, [1.0, 1.0], 1e9, d_log_scale);
            assert!(to_loc.is_finite() && to_log_scale.is_finite(), "{d_log_scale}: {to_loc} {to_log_scale}");
        }
    }
}
