//! How much walltime to ask for: seeds × time per seed × a margin, not below a floor, not above the queue's cap.

use crate::state::stats::{student_two_sided, summary};

/// The margin over the expected time.
pub const FACTOR: f64 = 1.2;

/// The floor of a job that trains a recurrent net, in seconds.
pub const FLOOR_RECURRENT: u64 = 4 * 3600;

/// The floor of every other job, in seconds.
pub const FLOOR: u64 = 2 * 3600;

/// Words in a model's name that make it recurrent.
const RECURRENT: [&str; 5] = ["rnn", "lstm", "gru", "recurrent", "snn"];

/// What is known before an estimate.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Known {
    /// Seeds that one job trains, one after another.
    pub seeds: u64,
    /// Seconds of earlier seeds of the same training.
    pub earlier: Vec<f64>,
    /// Seconds per seed as a person says, when nothing was measured.
    pub stated: Option<f64>,
    /// The model's name.
    pub model: Option<String>,
    /// The longest walltime of the queue, in seconds.
    pub cap: Option<u64>,
}

/// What to ask for.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Estimate {
    /// Seconds.
    pub walltime_s: u64,
    /// The queue's cap cut it.
    pub capped: bool,
    /// The chance that the scheduler ends the job before the last seed is done; none without at least two measured
    /// seeds. A job that is killed goes on from its checkpoint.
    pub p_kill: Option<f64>,
    /// Where the figure comes from, in words.
    pub from: String,
}

/// The floor of a job that trains this model, in seconds.
#[must_use]
pub fn floor(model: Option<&str>) -> u64 {
    let model = model.unwrap_or_default().to_ascii_lowercase();
    if RECURRENT.iter().any(|word| model.contains(word)) { FLOOR_RECURRENT } else { FLOOR }
}

/// The walltime of one job.
#[must_use]
pub fn estimate(known: &Known) -> Estimate {
    let seeds = known.seeds.max(1);
    let floor = floor(known.model.as_deref());
    let measured = summary(&known.earlier).filter(|s| s.mean.is_finite() && s.mean > 0.0);
    let stated = known.stated.filter(|s| s.is_finite() && *s > 0.0);
    let (needed, from) = match (measured, stated) {
        (Some(s), _) => {
            let from = format!("{} earlier seeds of {}", s.n, minutes(s.mean));
            (margin(seeds, s.mean), if s.n == 1 { from.replace("seeds", "seed") } else { from })
        }
        (None, Some(stated)) => (margin(seeds, stated), format!("{} per seed, as stated", minutes(stated))),
        (None, None) => (floor.saturating_mul(seeds), format!("no earlier run: {} per seed", minutes(floor as f64))),
    };
    let wanted = needed.max(floor);
    let walltime_s = wanted.min(known.cap.unwrap_or(u64::MAX));
    let raised =
        if needed < floor { format!(", raised to the floor of {}", minutes(floor as f64)) } else { String::new() };
    let cut = if walltime_s < wanted {
        format!(", cut to the queue's {}", minutes(walltime_s as f64))
    } else {
        String::new()
    };
    Estimate {
        walltime_s,
        capped: walltime_s < wanted,
        p_kill: chance_of_kill(&known.earlier, seeds, walltime_s as f64),
        from: format!("{from}{raised}{cut}"),
    }
}

/// Seconds with the margin, in whole minutes.
fn margin(seeds: u64, per_seed: f64) -> u64 {
    let minutes = (seeds as f64 * per_seed * FACTOR / 60.0).ceil();
    // A figure that no queue can hold is cut by the cap; without one it stays within a year.
    (minutes.min(525_600.0) as u64).max(1) * 60
}

/// The chance that `seeds` further seeds take longer than `walltime`, from the spread of the earlier ones (Student's
/// predictive distribution of their sum).
fn chance_of_kill(earlier: &[f64], seeds: u64, walltime: f64) -> Option<f64> {
    let known = summary(earlier)?;
    let deviation = known.std?;
    let (n, k) = (seeds as f64, known.n as f64);
    let spread = deviation * (n + n * n / k).sqrt();
    let room = walltime - n * known.mean;
    if !room.is_finite() || !spread.is_finite() {
        return None;
    }
    if spread == 0.0 {
        return Some(if room < 0.0 { 1.0 } else { 0.0 });
    }
    let both = student_two_sided(room / spread, k - 1.0);
    Some(if room >= 0.0 { both / 2.0 } else { 1.0 - both / 2.0 })
}

fn minutes(seconds: f64) -> String {
    match seconds {
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7200.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0).replace(".0 h", " h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(seeds: u64, earlier: &[f64], cap: Option<u64>) -> Known {
        Known { seeds, earlier: earlier.to_vec(), model: Some("cnn".into()), cap, ..Known::default() }
    }

    #[test]
    fn measured_seeds_decide_between_floor_and_cap() {
        let hours = |h: f64| h * 3600.0;
        let measured = [hours(1.0), hours(1.1), hours(0.9)];
        let five = estimate(&known(5, &measured, Some(12 * 3600)));
        assert_eq!((five.walltime_s, five.capped), (6 * 3600, false));
        assert!(five.p_kill.unwrap() < 0.1, "{five:?}");
        let short = estimate(&known(1, &[60.0, 61.0], None));
        assert_eq!(
            (short.walltime_s, short.from.as_str()),
            (7200, "2 earlier seeds of 60 s, raised to the floor of 2 h")
        );
        let long = estimate(&known(20, &measured, Some(12 * 3600)));
        assert!(long.capped && long.walltime_s == 12 * 3600 && long.p_kill.unwrap() > 0.95, "{long:?}");
        assert!(long.from.ends_with("cut to the queue's 12 h"), "{long:?}");
    }

    #[test]
    fn without_a_measurement_the_floor_stands() {
        let lstm = Known { seeds: 2, model: Some("lstm".into()), ..Known::default() };
        assert_eq!((estimate(&lstm).walltime_s, estimate(&lstm).p_kill), (8 * 3600, None));
        let stated = Known { stated: Some(4.0 * 3600.0), ..lstm.clone() };
        assert_eq!(estimate(&stated).walltime_s, 34_560);
        assert_eq!(estimate(&Known { model: None, cap: Some(600), ..lstm }).walltime_s, 600);
        assert_eq!(estimate(&known(1, &[1.0], None)).p_kill, None);
    }

    #[test]
    fn strange_figures_do_no_harm() {
        for odd in [f64::NAN, f64::INFINITY, -1.0, 0.0, 1e300] {
            let got = estimate(&known(u64::MAX, &[odd, odd], Some(3600)));
            assert_eq!(got.walltime_s, 3600, "{odd}");
            assert!(got.p_kill.is_none_or(|p| (0.0..=1.0).contains(&p)), "{odd}: {got:?}");
        }
        assert_eq!(estimate(&known(1, &[5.0, 5.0], None)).p_kill, Some(0.0));
    }
}
