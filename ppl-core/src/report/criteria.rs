//! Tables of what predicts well: leave-one-out cross-validation, WAIC and comparisons.

use std::fmt::{Display, Formatter, Result};

use super::number;
use crate::diagnostics::{Comparison, Loo, P_WAIC_LIMIT, Total, Waic};

/// The lines of a table of sums with their standard errors.
fn totals(f: &mut Formatter<'_>, lines: [(&str, Total); 3]) -> Result {
    let cells: Vec<[String; 3]> = [[String::new(), "estimate".to_owned(), "se".to_owned()]]
        .into_iter()
        .chain(lines.map(|(name, total)| {
            let error = if total.standard_error.is_nan() { "-".to_owned() } else { number(total.standard_error) };
            [name.to_owned(), number(total.value), error]
        }))
        .collect();
    let width = |column: usize| cells.iter().map(|cell| cell[column].len()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2)];
    for [name, value, error] in &cells {
        writeln!(f, "  {name:<a$}  {value:>b$}  {error:>c$}", a = widths[0], b = widths[1], c = widths[2])?;
    }
    Ok(())
}

/// The first line: what, of which model, of how many rows and draws.
fn title(f: &mut Formatter<'_>, what: &str, model: &str, rows: usize, draws: usize) -> Result {
    let of = if model.is_empty() { String::new() } else { format!(" of {model}") };
    writeln!(f, "{what}{of}: {rows} rows, {draws} draws, nats")
}

/// That parameters are where all rows put them: as in Akaike's criterion, each is worth about a nat.
fn held(f: &mut Formatter<'_>, count: usize) -> Result {
    match count {
        0 => Ok(()),
        1 => writeln!(f, "  Note      1 parameter is held where all the rows put it: the estimate is too high, by about 1 nat"),
        _ => writeln!(
            f,
            "  Note      {count} parameters are held where all the rows put them: the estimate is too high, by about 1 nat for each"
        ),
    }
}

impl Display for Loo {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        title(f, "Leave-one-out cross-validation", &self.model, self.pointwise.len(), self.draws)?;
        totals(f, [("elpd_loo", self.elpd_loo()), ("p_loo", self.p_loo()), ("looic", self.looic())])?;
        let (bad, rows, threshold) = (self.bad_rows(), self.pointwise.len(), self.threshold());
        write!(f, "\n  Pareto k  {bad} of {rows} rows above {threshold:.2}")?;
        if let Some(worst) = self.worst_row() {
            write!(f, "; the largest is {:.2}, of {}", worst.pareto_k, worst.name)?;
        }
        writeln!(f, "\n  Verdict   {}", self.verdict())?;
        held(f, self.held)
    }
}

impl Display for Waic {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        title(f, "WAIC", &self.model, self.pointwise.len(), self.draws)?;
        totals(f, [("elpd_waic", self.elpd_waic()), ("p_waic", self.p_waic()), ("waic", self.waic())])?;
        writeln!(f, "\n  p_waic    {} of {} rows above {P_WAIC_LIMIT}", self.bad_rows(), self.pointwise.len())?;
        writeln!(f, "  Verdict   {}", self.verdict())?;
        held(f, self.held)
    }
}

impl Display for Comparison {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let [first, second] = self.models.each_ref().map(|name| if name.is_empty() { "a model" } else { name.as_str() });
        writeln!(f, "{first} less {second}: {} rows, nats", self.rows)?;
        writeln!(f, "  elpd difference  {} +- {}", number(self.elpd_difference), number(self.standard_error))?;
        writeln!(f, "  Verdict          {}", self.verdict())
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;

    #[test]
    fn a_table_has_the_sums_the_worst_row_and_a_verdict() {
        let loo = Loo::new(&Array2::from_elem((100, 2), -1.5), &[0.0; 100]).unwrap();
        let text = loo.to_string();
        let expected = "\
Leave-one-out cross-validation: 2 rows, 100 draws, nats
            estimate  se
  elpd_loo    -3.000   0
  p_loo            0   0
  looic        6.000   0

  Pareto k  0 of 2 rows above 0.50; the largest is -inf, of row 1
  Verdict   believe it: every row can be predicted from the others by reweighting
";
        assert_eq!(text, expected);
        let waic = Waic::new(&Array2::from_elem((100, 1), -1.5), &[0.0; 100]).unwrap().to_string();
        assert!(waic.contains("elpd_waic    -1.500   -\n") && waic.contains("0 of 1 rows above 0.4"), "{waic}");
        let comparison = loo.compare(&loo).unwrap().to_string();
        assert!(comparison.contains("elpd difference  0 +- 0\n") && comparison.contains("alike"), "{comparison}");
    }
}
