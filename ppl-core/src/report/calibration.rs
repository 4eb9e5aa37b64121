//! The table of a calibration.

use std::fmt::{Display, Formatter, Result};

use crate::diagnostics::{CalibratedScalar, Calibration};

/// Scalars that the printed table shows: the least symmetric.
const SHOWN: usize = 20;

impl Display for Calibration {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        writeln!(f, "Calibration of {}: {} fits to simulated data", self.model, self.replications)?;
        let mut worst: Vec<&CalibratedScalar> = self.scalars.iter().collect();
        worst.sort_by(|a, b| a.symmetry.p_value.total_cmp(&b.symmetry.p_value));
        let names = worst.iter().take(SHOWN).map(|scalar| scalar.name.chars().count()).max().unwrap_or(0);
        writeln!(f, "  {:names$}  mean rank  spread  distance  p-value", "")?;
        for scalar in worst.iter().take(SHOWN) {
            let (mean, spread, symmetry) = (scalar.mean(), scalar.spread(), scalar.symmetry);
            writeln!(
                f,
                "  {:<names$}  {mean:>9.3}  {spread:>6.2}  {:>8.3}  {:>7.4}",
                scalar.name, symmetry.statistic, symmetry.p_value
            )?;
        }
        if worst.len() > SHOWN {
            writeln!(f, "  .. and {} more, each more symmetric", worst.len() - SHOWN)?;
        }
        writeln!(f, "\n  Verdict   {}", self.verdict())?;
        match self.failures.as_slice() {
            [] => Ok(()),
            [first, ..] => writeln!(f, "  Failed    {} fits, the first in {first}", self.failures.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_symmetric_scalars_come_first_and_failures_are_told() {
        let scalar = |name: &str, p: [f64; 8]| CalibratedScalar::new(name.to_owned(), p.to_vec()).unwrap();
        let calibration = Calibration {
            model: "M".to_owned(),
            replications: 8,
            scalars: vec![
                scalar("even", [0.1, 0.9, 0.2, 0.8, 0.3, 0.7, 0.4, 0.6]),
                scalar("high", [0.1, 0.05, 0.2, 0.15, 0.3, 0.25, 0.4, 0.35]),
            ],
            failures: vec!["replication 3: no".to_owned()],
        };
        let expected = "\
Calibration of M: 8 fits to simulated data
        mean rank  spread  distance  p-value
  high      0.225    0.18     1.000   0.0078
  even      0.500    1.03     0.000   1.0000

  Verdict   fits put `high` too high
  Failed    1 fits, the first in replication 3: no
";
        assert_eq!(calibration.to_string(), expected);
    }
}
