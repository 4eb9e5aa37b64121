//! A picture of posterior intervals for the terminal.

use std::fmt::{Display, Formatter};

use super::Scalar;

/// One line a scalar: the 50 % interval thick, the 90 % interval thin, the median a dot; below, an axis.
#[derive(Clone, Debug)]
pub struct Intervals<'a> {
    scalars: Vec<&'a Scalar>,
    width: usize,
}

impl<'a> Intervals<'a> {
    /// A picture of some scalars, at most 80 columns wide.
    pub fn new(scalars: impl IntoIterator<Item = &'a Scalar>) -> Self {
        let scalars: Vec<&Scalar> = scalars.into_iter().collect();
        let names = scalars.iter().map(|s| s.name.chars().count()).max().unwrap_or(0);
        Intervals { scalars, width: 76_usize.saturating_sub(names).max(20) }
    }
}

impl Display for Intervals<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let low = self.scalars.iter().map(|s| s.quantiles[0]).fold(f64::INFINITY, f64::min);
        let high = self.scalars.iter().map(|s| s.quantiles[4]).fold(f64::NEG_INFINITY, f64::max);
        if low.partial_cmp(&high) != Some(std::cmp::Ordering::Less) {
            return Ok(());
        }
        let names = self.scalars.iter().map(|s| s.name.chars().count()).max().unwrap_or(0);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a column")]
        let column = |x: f64| ((x - low) / (high - low) * (self.width - 1) as f64).round() as usize;
        for scalar in &self.scalars {
            let [a, b, c, d, e] = scalar.quantiles.map(column);
            let line: String = (0..self.width)
                .map(|at| {
                    if at == c {
                        '●'
                    } else if (b..=d).contains(&at) {
                        '━'
                    } else if (a..=e).contains(&at) {
                        '─'
                    } else {
                        ' '
                    }
                })
                .collect();
            writeln!(f, "  {:<names$} {}", scalar.name, line.trim_end())?;
        }
        let (left, right) = (format!("{low:.1}"), format!("{high:.1}"));
        let middle = format!("{:.1}", f64::midpoint(low, high));
        let gap = self.width.saturating_sub(left.len() + middle.len() + right.len());
        writeln!(f, "  {:names$} {left}{}{middle}{}{right}", "", " ".repeat(gap / 2), " ".repeat(gap - gap / 2))
    }
}
