//! Statistics over seeds: mean, sample deviation, Welch's t-test, the Mann-Whitney test.
//!
//! The regularised incomplete beta function is the continued fraction of DLMF 8.17.22, evaluated by Lentz's
//! method; the logarithm of the gamma function is Lanczos' approximation (g = 7, nine terms).

/// Mean and spread of one row's seeds.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Summary {
    /// How many values.
    pub n: usize,
    /// Their mean.
    pub mean: f64,
    /// Sample standard deviation (n - 1); none below two values.
    pub std: Option<f64>,
}

/// Mean and sample deviation; `None` without values.
#[must_use]
pub fn summary(values: &[f64]) -> Option<Summary> {
    let n = values.len();
    if n == 0 {
        return None;
    }
    let mean = values.iter().sum::<f64>() / n as f64;
    let squares: f64 = values.iter().map(|x| (x - mean) * (x - mean)).sum();
    let std = (n > 1).then(|| (squares / (n - 1) as f64).sqrt());
    Some(Summary { n, mean, std })
}

/// Welch's two-sided p-value from two summaries, which may be figures that others report.
/// `None` when one side has fewer than two values: nothing can be decided then.
#[must_use]
pub fn welch(a: Summary, b: Summary) -> Option<f64> {
    let (va, vb) = (variance_of_mean(a)?, variance_of_mean(b)?);
    let difference = a.mean - b.mean;
    if va + vb == 0.0 {
        return Some(if difference == 0.0 { 1.0 } else { 0.0 });
    }
    let t = difference / (va + vb).sqrt();
    let freedom = (va + vb).powi(2) / (va * va / (a.n - 1) as f64 + vb * vb / (b.n - 1) as f64);
    Some(student_two_sided(t, freedom))
}

fn variance_of_mean(s: Summary) -> Option<f64> {
    s.std.filter(|_| s.n > 1).map(|std| std * std / s.n as f64)
}

/// The chance of a t at least this far from 0 on either side.
#[must_use]
pub fn student_two_sided(t: f64, freedom: f64) -> f64 {
    incomplete_beta(freedom / 2.0, 0.5, freedom / (freedom + t * t)).clamp(0.0, 1.0)
}

/// The regularised incomplete beta function I_x(a, b).
fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return x.clamp(0.0, 1.0);
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (1.0 - x).ln()).exp();
    // The fraction converges fast on this side of the mean only; the other side is its mirror image.
    if x < (a + 1.0) / (a + b + 2.0) {
        front * beta_fraction(a, b, x) / a
    } else {
        1.0 - front * beta_fraction(b, a, 1.0 - x) / b
    }
}

fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away_from_zero = |v: f64| if v.abs() < TINY { TINY } else { v };
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut value = d;
    for m in 1..500 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let before = value;
        for coefficient in [even, odd] {
            d = 1.0 / away_from_zero(1.0 + coefficient * d);
            c = away_from_zero(1.0 + coefficient / c);
            value *= c * d;
        }
        if (value - before).abs() <= 1e-15 * value.abs() {
            break;
        }
    }
    value
}

fn ln_gamma(x: f64) -> f64 {
    const TERMS: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    let x = x - 1.0;
    let series = TERMS.iter().zip(1_u8..).fold(0.999_999_999_999_809_9, |sum, (c, i)| sum + c / (x + f64::from(i)));
    let t = x + 7.5;
    0.5 * (2.0 * std::f64::consts::PI).ln() + (x + 0.5) * t.ln() - t + series.ln()
}

/// The Mann-Whitney test's two-sided p-value: exact over all regroupings up to 10 + 10 values, with midranks
/// for ties; above that the normal approximation with the tie and continuity corrections. `None` without values.
#[must_use]
pub fn mann_whitney(a: &[f64], b: &[f64]) -> Option<f64> {
    if a.is_empty() || b.is_empty() {
        return None;
    }
    let all: Vec<f64> = a.iter().chain(b).copied().collect();
    let ranks = doubled_ranks(&all);
    let sum: u64 = ranks[..a.len()].iter().sum();
    Some(if a.len() <= 10 && b.len() <= 10 { exact(&ranks, a.len(), sum) } else { normal(&ranks, a.len(), sum) })
}

/// Twice the midrank of each value, so that ranks of ties stay whole numbers.
fn doubled_ranks(values: &[f64]) -> Vec<u64> {
    let rank = |x: &f64| {
        let below = values.iter().filter(|v| *v < x).count() as u64;
        let level = values.iter().filter(|v| *v == x).count() as u64;
        2 * below + level + 1
    };
    values.iter().map(rank).collect()
}

/// The share of all choices of `n` ranks whose sum is at least as far from the middle as `sum`.
fn exact(ranks: &[u64], n: usize, sum: u64) -> f64 {
    let total: u64 = ranks.iter().sum();
    // ways[k][s]: choices of k ranks that sum to s.
    let mut ways = vec![vec![0_u64; total as usize + 1]; n + 1];
    ways[0][0] = 1;
    for rank in ranks {
        for k in (1..=n).rev() {
            for s in (*rank as usize..=total as usize).rev() {
                ways[k][s] += ways[k - 1][s - *rank as usize];
            }
        }
    }
    let away = |s: u64| (s * ranks.len() as u64).abs_diff(total * n as u64);
    let far: u64 = (0..=total).filter(|s| away(*s) >= away(sum)).map(|s| ways[n][s as usize]).sum();
    far as f64 / ways[n].iter().sum::<u64>() as f64
}

fn normal(ranks: &[u64], n: usize, sum: u64) -> f64 {
    let (n, all) = (n as f64, ranks.len() as f64);
    let m = all - n;
    let middle = ranks.iter().sum::<u64>() as f64 / all;
    let spread: f64 = ranks.iter().map(|r| (*r as f64 - middle).powi(2)).sum::<f64>();
    let deviation = (n * m * spread / (all * (all - 1.0))).sqrt();
    if deviation == 0.0 {
        return 1.0;
    }
    let z = ((sum as f64 - n * middle).abs() - 1.0).max(0.0) / deviation;
    // Student's t with very many degrees of freedom is the normal distribution.
    student_two_sided(z, 1e7)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64, within: f64) {
        assert!((a - b).abs() <= within, "{a} is not {b}");
    }

    #[test]
    fn mean_and_sample_deviation() {
        let s = summary(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]).unwrap();
        close(s.mean, 5.0, 0.0);
        close(s.std.unwrap(), 2.138_089_935_299_395, 1e-12);
        assert_eq!(summary(&[1.5]).unwrap().std, None);
        assert_eq!(summary(&[]), None);
    }

    /// Values of the t distribution from printed tables: the two-sided 5 % and 1 % points.
    #[test]
    fn student_matches_the_tables() {
        for (freedom, t, p) in [
            (1.0, 12.706_2, 0.05),
            (4.0, 2.776_445, 0.05),
            (8.0, 2.306_004, 0.05),
            (8.0, 3.355_387, 0.01),
            (30.0, 2.749_996, 0.01),
        ] {
            close(student_two_sided(t, freedom), p, 2e-6);
        }
        close(student_two_sided(1.0, 1.0), 0.5, 1e-12);
        close(student_two_sided(1.96, 1e7), 0.049_995_8, 1e-6);
    }

    #[test]
    fn welch_on_raw_values_and_on_reported_figures() {
        let a = summary(&[27.5, 21.0, 19.0, 23.6, 17.0, 17.9, 16.9, 20.1, 21.9, 22.6, 23.1, 19.6, 19.0, 21.7, 21.4])
            .unwrap();
        let b = summary(&[27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0, 24.8, 20.2, 21.9, 22.1, 22.9, 30.5, 30.0])
            .unwrap();
        // The p-values here were found by integrating the density of t numerically.
        close(welch(a, b).unwrap(), 0.006_081_005_356_88, 1e-12);
        let cnn = Summary { n: 5, mean: 0.9917, std: Some(0.0010) };
        let pc_cnn = Summary { n: 5, mean: 0.9911, std: Some(0.0008) };
        close(welch(cnn, pc_cnn).unwrap(), 0.326_841_667_587_05, 1e-12);
        let one = Summary { n: 1, mean: 0.5, std: None };
        assert_eq!(welch(cnn, one), None);
        let flat = |mean| Summary { n: 3, mean, std: Some(0.0) };
        assert_eq!(welch(flat(0.5), flat(0.5)), Some(1.0));
        assert_eq!(welch(flat(0.5), flat(0.6)), Some(0.0));
    }

    #[test]
    fn mann_whitney_exact_and_approximate() {
        // Two groups of five without overlap: 2 of the 252 regroupings are as far apart.
        close(mann_whitney(&[1., 2., 3., 4., 5.], &[6., 7., 8., 9., 10.]).unwrap(), 2.0 / 252.0, 1e-12);
        close(mann_whitney(&[1., 1.], &[1., 1.]).unwrap(), 1.0, 1e-12);
        // With ties: found by listing all 35 regroupings.
        close(mann_whitney(&[1., 2., 2., 3.], &[2., 4., 5.]).unwrap(), 0.2, 1e-12);
        let low: Vec<f64> = (0..20).map(f64::from).collect();
        let high: Vec<f64> = (10..30).map(f64::from).collect();
        close(mann_whitney(&low, &high).unwrap(), 5.7e-5, 1e-4);
        assert_eq!(mann_whitney(&[], &[1.0]), None);
    }
}
