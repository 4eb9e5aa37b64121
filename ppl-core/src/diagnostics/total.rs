//! A sum over rows with its standard error.

/// A sum over rows, and the standard error that the choice of rows leaves in it.
///
/// `sum_i x_i`, with the standard error `sqrt(n V)`, where `V` is the sample variance over rows (divisor `n - 1`).
///
/// # Source
/// Vehtari, Gelman & Gabry 2017, equation 23.
///
/// # Examples
/// ```
/// use ppl_core::diagnostics::Total;
/// let total = Total::of([1.0, 2.0, 3.0]);
/// assert_eq!(total.value, 6.0);
/// assert!((total.standard_error - 3.0_f64.sqrt()).abs() < 1e-12);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Total {
    /// The sum.
    pub value: f64,
    /// Its standard error; `NaN` of a single row.
    pub standard_error: f64,
}

impl Total {
    /// Of a value for each row.
    #[must_use]
    pub fn of(rows: impl IntoIterator<Item = f64>) -> Self {
        let rows: Vec<f64> = rows.into_iter().collect();
        let (n, value) = (rows.len() as f64, rows.iter().sum::<f64>());
        let squares: f64 = rows.iter().map(|x| (x - value / n).powi(2)).sum();
        Total { value, standard_error: (n * squares / (n - 1.0)).sqrt() }
    }
}
