//! Medians and quartiles, and whether values have two modes.

use serde::Serialize;

/// The distribution of some values.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Middle {
    /// A quarter of the values is below it.
    pub lower_quartile: f64,
    /// Half of the values is below it.
    pub median: f64,
    /// A quarter of the values is above it.
    pub upper_quartile: f64,
    /// If there are two: a median says little then.
    pub modes: Option<[Mode; 2]>,
}

/// Values that lie close together, and apart from the others.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Mode {
    /// Half of its values is below it.
    pub median: f64,
    /// The share of all values, from 0 to 1.
    pub share: f64,
}

impl Middle {
    /// Computes that of some values.
    ///
    /// # Panics
    ///
    /// If there are none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<_> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let quarter = |quarters: usize| values[(values.len() - 1) * quarters / 4];
        Self {
            lower_quartile: quarter(1),
            median: quarter(2),
            upper_quartile: quarter(3),
            modes: modes(&values),
        }
    }
}

/// A mode has at least one in so many of the values; fewer are outliers.
const ONE_IN: usize = 10;

/// How far apart the means of two modes are, in standard deviations of the modes. A normal distribution that is cut at its
/// mean has 2.7, a uniform one 3.5.
const APART: f64 = 5.0;

/// How much larger the second mode is. Less matters to no bound.
const LARGER: f64 = 1.1;

/// Splits sorted values where the two parts vary least (Otsu's method), and returns the parts if they are far enough apart.
#[expect(clippy::cast_precision_loss, reason = "there are less than 2^52")]
fn modes(values: &[f64]) -> Option<[Mode; 2]> {
    let smallest = values.len().div_ceil(ONE_IN);
    let splits = smallest..=values.len().saturating_sub(smallest);
    let within = |split: usize| {
        let (low, high) = values.split_at(split);
        squares(low) + squares(high)
    };
    let split = splits.min_by(|&a, &b| within(a).total_cmp(&within(b)))?;
    let (low, high) = values.split_at(split);
    let deviation = (within(split) / values.len() as f64).sqrt();
    let mode = |part: &[f64]| Mode {
        median: part[(part.len() - 1) / 2],
        share: part.len() as f64 / values.len() as f64,
    };
    let (first, second) = (mode(low), mode(high));
    let are_apart = mean(high) - mean(low) > APART * deviation;
    (are_apart && second.median > LARGER * first.median).then_some([first, second])
}

#[expect(clippy::cast_precision_loss, reason = "there are less than 2^52")]
fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The sum of the squared distances from the mean.
fn squares(values: &[f64]) -> f64 {
    let mean = mean(values);
    values.iter().map(|value| (value - mean).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The middle of a normal distribution with mean 100: the sum of twelve uniform numbers.
    fn normal(count: usize, mean: f64, random: &mut fastrand::Rng) -> Vec<f64> {
        let value = |_| mean + (0..12).map(|_| random.f64()).sum::<f64>() - 6.0;
        (0..count).map(value).collect()
    }

    #[test]
    fn quartiles_are_those_of_the_sorted_values() {
        let middle = Middle::of([5.0, 1.0, 3.0, 2.0, 4.0]);
        assert_eq!(
            (middle.lower_quartile, middle.median, middle.upper_quartile),
            (2.0, 3.0, 4.0)
        );
        assert_eq!(Middle::of([7.0]).modes, None);
    }

    #[test]
    fn one_mode_is_not_taken_for_two() {
        for seed in 0..200 {
            let mut random = fastrand::Rng::with_seed(seed);
            assert_eq!(
                Middle::of(normal(101, 20.0, &mut random)).modes,
                None,
                "seed {seed}"
            );
            let uniform = (0..101).map(|_| 1.0 + random.f64());
            assert_eq!(Middle::of(uniform).modes, None, "seed {seed}");
        }
    }

    #[test]
    fn few_outliers_are_no_mode() {
        let mut random = fastrand::Rng::with_seed(1);
        let mut values = normal(96, 20.0, &mut random);
        values.extend([200.0, 210.0, 190.0, 205.0, 195.0]);
        assert_eq!(Middle::of(values).modes, None);
    }

    #[test]
    fn two_modes_are_found_with_their_shares() {
        for seed in 0..200 {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut values = normal(70, 20.0, &mut random);
            values.extend(normal(30, 40.0, &mut random));
            let [low, high] = Middle::of(values)
                .modes
                .unwrap_or_else(|| panic!("seed {seed}"));
            assert!(
                (low.share - 0.7).abs() < 0.01 && (high.share - 0.3).abs() < 0.01,
                "seed {seed}"
            );
            assert!(
                (low.median - 20.0).abs() < 1.0 && (high.median - 40.0).abs() < 1.0,
                "seed {seed}"
            );
        }
    }
}
