//! Medians and quartiles.

use serde::Serialize;

/// Where the middle half of the values is.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub(crate) struct Middle {
    pub(crate) lower_quartile: f64,
    pub(crate) median: f64,
    pub(crate) upper_quartile: f64,
}

impl Middle {
    /// That of some values. There is at least one.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<_> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let quarter = |quarters: usize| values[(values.len() - 1) * quarters / 4];
        Self {
            lower_quartile: quarter(1),
            median: quarter(2),
            upper_quartile: quarter(3),
        }
    }
}
