//! An axis: its range, and round numbers on it with labels of equal precision.

/// From where to where an axis goes, and what is written at it.
pub(super) struct Axis {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) ticks: Vec<(f64, String)>,
}

/// Most round numbers on an axis; fewer where their labels would touch.
const MOST_STEPS: [f64; 5] = [7.0, 5.0, 4.0, 3.0, 2.0];
/// Between values and the ends of the axis, as a part of its length.
const MARGIN: f64 = 0.04;

impl Axis {
    /// The axis of these values, whose labels side by side have room for so many letters.
    pub(super) fn over(values: impl Iterator<Item = f64>, room: usize) -> Self {
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        let largest = low.abs().max(high.abs());
        // Values that are (nearly) equal stand in the middle of an axis of their own magnitude.
        let (low, high) = match high - low > (1e-6 * largest).max(1e-90) {
            true => (low, high),
            false if largest > 1e-80 => (low - 0.1 * largest, high + 0.1 * largest),
            false => (-1.0, 1.0),
        };
        let margin = MARGIN * (high - low);
        let (low, high) = (low - margin, high + margin);
        let mut ticks = Vec::new();
        for steps in MOST_STEPS {
            ticks = labelled(low, high, round_up((high - low) / steps));
            if (widest(&ticks) + 2) * ticks.len() <= room {
                break;
            }
        }
        Self { low, high, ticks }
    }

    /// Letters of the longest label.
    pub(super) fn widest(&self) -> usize {
        widest(&self.ticks)
    }

    /// Where a value lies, from 0 to 1.
    pub(super) fn place(&self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }
}

fn widest(ticks: &[(f64, String)]) -> usize {
    ticks.iter().map(|(_, label)| label.chars().count()).max().unwrap_or(0)
}

/// The least of 1, 2 and 5 times a power of ten that is not below.
fn round_up(step: f64) -> f64 {
    let power = 10f64.powf(step.log10().floor());
    [1.0, 2.0, 5.0].into_iter().map(|digit| digit * power).find(|round| *round >= step * (1.0 - 1e-9)).unwrap_or(10.0 * power)
}

/// The multiples of the step between low and high.
fn labelled(low: f64, high: f64, step: f64) -> Vec<(f64, String)> {
    let exponent = (step * (1.0 + 1e-9)).log10().floor();
    let largest = low.abs().max(high.abs());
    let scientific = exponent < -5.0 || largest >= 1e6;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few digits")]
    let digits = if scientific { largest.log10().floor() - exponent } else { -exponent }.max(0.0) as usize;
    let (mut ticks, mut multiple) = (Vec::new(), (low / step).ceil());
    while multiple * step <= high {
        let value = multiple * step;
        let label = match scientific {
            _ if multiple == 0.0 => "0".to_owned(),
            true => format!("{value:.digits$e}"),
            false => format!("{value:.digits$}"),
        };
        ticks.push((value, label));
        multiple += 1.0;
    }
    ticks
}

#[cfg(test)]
mod tests {
    use super::Axis;

    fn labels(low: f64, high: f64) -> Vec<String> {
        Axis::over([low, high].into_iter(), 100).ticks.into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn labels_are_round_numbers_of_equal_precision() {
        assert_eq!(labels(0.0, 1.0), ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(-3.1, 3.2), ["-3", "-2", "-1", "0", "1", "2", "3"]);
        assert_eq!(labels(0.0, 4e-7), ["0", "1e-7", "2e-7", "3e-7", "4e-7"]);
        assert_eq!(labels(1e6, 3e6), ["1.0e6", "1.5e6", "2.0e6", "2.5e6", "3.0e6"]);
    }

    #[test]
    fn equal_and_extreme_values_have_an_axis_too() {
        for value in [0.0, 5.0, -1e-320, 1e100, -1e100, 1e-30, 1e9 + 1e-4] {
            let axis = Axis::over([value].into_iter(), 100);
            assert!(axis.low < value && value < axis.high, "{value}");
            assert!((2..=9).contains(&axis.ticks.len()), "{value}: {:?}", axis.ticks);
            assert!(axis.widest() < 14, "{value}: {:?}", axis.ticks);
        }
        let axis = Axis::over([-1e100, 1e100, 1e-300].into_iter(), 100);
        assert!((2..=9).contains(&axis.ticks.len()));
    }

    #[test]
    fn labels_do_not_touch() {
        let axis = Axis::over([0.0, 0.001_234].into_iter(), 30);
        assert!((axis.widest() + 2) * axis.ticks.len() <= 30, "{:?}", axis.ticks);
    }
}
