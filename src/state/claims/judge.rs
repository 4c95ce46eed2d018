//! A printed figure against what its sources give.

use std::rc::Rc;

use super::figures::{Figure, Scale, What};
use super::op::Op;
use super::sentence::{Judged, Metric, Sentence};
use super::source::Source;
use super::words::Number;
use super::{Verdict, compare};
use crate::state::board::BoardConfig;
use crate::state::markdown::{number, p_value, spread};
use crate::state::problem::Problem;
use crate::state::stats::Summary;

/// Printed numbers that a value stands for: the value in units of the print.
fn rounds(number: Number, value: f64) -> bool {
    (value - number.value).abs() <= 0.5 * 10_f64.powi(-number.digits) + 1e-9
}

/// Whether a value is as a figure says.
pub(super) fn fits(op: Op, number: Number, value: f64) -> bool {
    match op {
        Op::Is => rounds(number, value),
        Op::About => (value - number.value).abs() <= 10_f64.powi(-number.digits) + 1e-9,
        Op::Above => value > number.value,
        Op::AtLeast => value >= number.value || rounds(number, value),
        Op::Below => value < number.value,
        Op::AtMost => value <= number.value || rounds(number, value),
    }
}

/// A stored value in the unit of the print.
fn printed(scale: Scale, number: Number, metric: &str, value: f64) -> f64 {
    let percent = match scale {
        Scale::Percent => true,
        Scale::Unsaid => BoardConfig::is_share(metric) && number.value > 1.0,
    };
    if percent { value * 100.0 } else { value }
}

impl Sentence<'_> {
    /// The verdict on a figure; none when it is nobody's claim.
    pub(super) fn figure(&self, figure: &Figure) -> Result<Option<Judged>, Problem> {
        if self.mentions.is_empty()
            && (self.cites_reading() || !self.scope.owned && self.metric_at(&figure.place).is_none())
        {
            return Ok(None);
        }
        if self.supposes(figure.place.start) && self.mentions.is_empty() {
            return Ok(None);
        }
        match figure.what {
            What::Comma => Ok(Some(Judged::new(
                Verdict::WithoutSource,
                "it has a decimal comma, which may mean thousands; write it with a point, such as 98.21",
            ))),
            What::Points { value, sign } => self.points(figure, value, sign).map(Some),
            What::P(value) => self.p(figure, value).map(Some),
            What::Parameters { value, fewer } => self.parameters(value, fewer).map(Some),
            What::Seeds(n) => self.seeds(figure, n),
            What::Value { .. } | What::Between { .. } => self.value(figure).map(Some),
        }
    }

    /// What a figure is about: the name it stands with, or the scope; with what is reported for it where the sentence
    /// speaks of that.
    fn about(&self, figure: &Figure) -> Vec<Rc<Source>> {
        let mut found = match self.named_at(figure) {
            Some(sources) => sources,
            None => self.scope.sources.clone(),
        };
        if self.reported {
            let twins: Vec<_> = found.iter().flat_map(|s| self.world.twins(s)).collect();
            twins.into_iter().for_each(|twin| super::world::push(&mut found, twin));
        }
        found
    }

    /// The name that a figure stands with: `98.2 % for A`, else the last one before it, else the first behind it; with
    /// `respectively` the one in the same place.
    fn named_at(&self, figure: &Figure) -> Option<Vec<Rc<Source>>> {
        let mentions = &self.mentions;
        if self.says(&["respectively"]) {
            let values: Vec<&Figure> = self.figures.iter().filter(|f| matches!(f.what, What::Value { .. })).collect();
            if values.len() == mentions.len() {
                let at = values.iter().position(|f| f.place == figure.place)?;
                return Some(mentions[at].sources.clone());
            }
        }
        let behind = mentions.iter().find(|m| m.place.start >= figure.place.end);
        if let Some(mention) = behind {
            let words: Vec<&str> = self.between(figure.place.end..mention.place.start).collect();
            let bracket = self.tokens.iter().find(|t| t.place.start >= figure.place.end).is_some_and(|t| t.is("("));
            if bracket && words.len() == 1 {
                return Some(mention.sources.clone());
            }
            let joins = |w: &&str| matches!(*w, "for" | "of" | "with" | "by" | "from" | "the" | "a" | "an");
            if !words.is_empty() && words.iter().all(joins) {
                return Some(mention.sources.clone());
            }
        }
        let before = mentions.iter().rev().find(|m| m.place.start < figure.place.start);
        before.or(behind).map(|mention| mention.sources.clone())
    }

    fn value(&self, figure: &Figure) -> Result<Judged, Problem> {
        let metric = self.metric_at(&figure.place);
        let about = self.about(figure);
        let mut told: Vec<String> = Vec::new();
        let mut used = Vec::new();
        for source in &about {
            let (name, less) = Metric::of(metric.as_ref(), source);
            let found = self.value_of(figure, source, &name, less);
            let Some((fit, words)) = found else { continue };
            if fit {
                let words = format!("{}: {name} {words}", source.name);
                return Ok(Judged::new(Verdict::Supported, words).from([source.used(&name)]));
            }
            told.push(format!("{}: {name} {words}", source.name));
            used.push(source.used(&name));
        }
        if let Some(judged) = self.predicted(figure).or_else(|| self.means_between(figure, metric.as_ref())) {
            return Ok(judged);
        }
        if told.is_empty() || self.is_loose(figure) {
            return Ok(self.sourceless(&about));
        }
        let more = if told.len() > 3 { format!("; and {} more", told.len() - 3) } else { String::new() };
        told.truncate(3);
        Ok(Judged::new(Verdict::Contradicted, format!("{}{more}", told.join("; "))).from(used))
    }

    /// `from 98.95 % to 99.17 %`: the means of two rows that are known here.
    fn means_between(&self, figure: &Figure, metric: Option<&Metric>) -> Option<Judged> {
        let What::Between { low, high, unit } = figure.what else { return None };
        let named = self.mentions.iter().flat_map(|m| &m.sources);
        let sources: Vec<&Rc<Source>> = named.chain(&self.scope.sources).collect();
        let with = |number: Number| {
            sources.iter().find(|source| {
                let (name, less) = Metric::of(metric, source);
                let mean = source.summary(&name, source.rule.best).map(|s| if less { 1.0 - s.mean } else { s.mean });
                mean.is_some_and(|mean| rounds(number, printed(unit, number, &name, mean)))
            })
        };
        let (first, second) = (with(low)?, with(high)?);
        let words = format!("the means of {} and {}", first.name, second.name);
        (first.name != second.name).then(|| Judged::new(Verdict::Supported, words))
    }

    /// A figure on a whole board that stands with no name.
    fn is_loose(&self, figure: &Figure) -> bool {
        self.scope.wide && self.named_at(figure).is_none()
    }

    fn sourceless(&self, about: &[Rc<Source>]) -> Judged {
        let why = match about.first() {
            _ if self.scope.wide => "nothing says which row it is about, and no row has it".to_string(),
            None if self.scope.owned => "there are no results yet that it could come from".to_string(),
            None => "nothing says which run or row it is about; name one, such as its experiment".to_string(),
            Some(source) => format!("{} has no such metric", source.name),
        };
        Judged::new(Verdict::WithoutSource, why)
    }

    /// Whether the value is as printed, and what it is; none when the source lacks the metric.
    fn value_of(&self, figure: &Figure, source: &Source, metric: &str, less: bool) -> Option<(bool, String)> {
        let best = source.rule.best && metric == source.rule.metric;
        let turn = |v: f64| if less { 1.0 - v } else { v };
        let summary = source.summary(metric, best).map(|s| Summary { mean: turn(s.mean), ..s })?;
        let share = BoardConfig::is_share(metric);
        let n = (summary.n > 0).then_some(summary.n);
        let mut words = spread(share, summary.mean, summary.std, n);
        let seeds: Vec<f64> = source.by_seed(metric, best).into_values().map(turn).collect();
        if let What::Between { low, high, unit } = figure.what {
            if seeds.is_empty() {
                return Some((false, format!("{words}; its seeds are not printed")));
            }
            let values: Vec<f64> = seeds.iter().map(|v| printed(unit, high, metric, *v)).collect();
            let inside = |v: &f64| (*v >= low.value || rounds(low, *v)) && (*v <= high.value || rounds(high, *v));
            let ends = [f64::min, f64::max].map(|pick| seeds.iter().copied().reduce(pick).unwrap_or(f64::NAN));
            let words = format!("seeds from {} to {}", number(share, ends[0]), number(share, ends[1]));
            return Some((values.iter().all(inside), words));
        }
        let What::Value { value, unit, std } = figure.what else { return None };
        let shown = |v: f64| printed(unit, value, metric, v);
        let spread_fits = |s: &Summary| std.is_none_or(|p| s.std.is_some_and(|v| rounds(p, shown(v))));
        let mut fit = fits(figure.op, value, shown(summary.mean)) && spread_fits(&summary);
        let top = source.summary(metric, true).filter(|_| source.printed.is_none());
        let rough = metric.ends_with("loss") && figure.op != Op::Is;
        if (self.says(&["best", "peak", "maxim"]) || rough) && !fit {
            let of_best = |s: Summary| fits(figure.op, value, shown(turn(s.mean))) && spread_fits(&s);
            fit = top.is_some_and(of_best);
            words.push_str(&top.map(|s| format!("; at the best epochs {}", number(share, s.mean))).unwrap_or_default());
        }
        if !fit && std.is_none() && (figure.op == Op::About || self.says(&["seed", "run"])) {
            let wanted = self.seed();
            let values = source.by_seed(metric, best);
            let of_seed =
                |(seed, v): (&u64, &f64)| wanted.is_none_or(|w| w == *seed) && fits(figure.op, value, shown(turn(*v)));
            fit = values.iter().any(|(seed, v)| of_seed((seed, v)));
        }
        Some((fit, words))
    }

    /// The one seed that the sentence speaks of.
    fn seed(&self) -> Option<u64> {
        let pair = self.tokens.windows(2).find(|w| w[0].word() == "seed" && w[1].number().is_some())?;
        pair[1].number().map(|n| n.value as u64)
    }

    /// A figure that the iteration predicts.
    fn predicted(&self, figure: &Figure) -> Option<Judged> {
        let What::Value { value, unit, std: None } = figure.what else { return None };
        let view = self.scope.sources.iter().find_map(|s| self.world.view_of(s)).filter(|_| self.says(&["predict"]))?;
        let prediction = view.iteration.prediction.as_ref()?;
        let wanted = printed(unit, value, &prediction.metric, prediction.minimal_effect);
        let why = format!(
            "{} predicts {}",
            view.path(),
            number(BoardConfig::is_share(&prediction.metric), prediction.minimal_effect)
        );
        rounds(value, wanted).then(|| Judged::new(Verdict::Supported, why))
    }

    /// How many seeds there are; nobody's claim where no row is known.
    fn seeds(&self, figure: &Figure, n: f64) -> Result<Option<Judged>, Problem> {
        let about = self.about(figure);
        let counts: Vec<(usize, &Rc<Source>)> =
            about.iter().filter_map(|s| Some((s.ranked()?.n, s))).filter(|(n, _)| *n > 0).collect();
        let Some((first, source)) = counts.first() else { return Ok(None) };
        Ok(Some(match counts.iter().find(|(count, _)| *count as f64 == n) {
            Some((_, source)) => Judged::new(Verdict::Supported, format!("{} has {n} seeds", source.name)),
            None => Judged::new(Verdict::Contradicted, format!("{} has {first} seeds", source.name)),
        }))
    }

    fn points(&self, figure: &Figure, value: Number, sign: Option<f64>) -> Result<Judged, Problem> {
        let pairs = self.pairs_at(figure)?;
        let metric = self.metric_at(&figure.place);
        let mut told = Vec::new();
        let mut used = Vec::new();
        for pair in &pairs {
            let (name, _) = Metric::of(metric.as_ref(), &pair.a);
            let Some(points) = compare::difference(pair, &name).map(|d| d * 100.0) else { continue };
            let stated = sign.or(pair.sign);
            let shown = stated.map_or(points.abs(), |s| s * points);
            // Words such as `loses 0.3 pp` give the size and leave the sign to the verb.
            let bare = sign.is_none() && pair.sign.is_none();
            let fit = fits(figure.op, value, shown) || bare && fits(figure.op, value, -points);
            let words = format!("{} is {points:+.2} pp from {}", pair.a.name, pair.b.name);
            let both = [pair.a.used(&name), pair.b.used(&name)];
            if fit {
                return Ok(Judged::new(Verdict::Supported, words).from(both));
            }
            told.push(words);
            used.extend(both);
        }
        if told.is_empty() {
            let why = "nothing says between which two rows; name both, or give the iteration a `compare_to`";
            return Ok(Judged::new(Verdict::WithoutSource, format!("{why}{}", self.guess(value))));
        }
        told.truncate(3);
        Ok(Judged::new(Verdict::Contradicted, told.join("; ")).from(used))
    }

    /// The pairs of a board that differ by so much, when they are few: what may have been meant.
    fn guess(&self, value: Number) -> String {
        let sources = &self.scope.sources;
        let ahead = |a: &Rc<Source>, b: &Rc<Source>| Some(a.ranked()?.mean - b.ranked()?.mean);
        let fits = |d: f64| rounds(value, d * 100.0);
        let all = sources.iter().flat_map(|a| sources.iter().map(move |b| (a, b)));
        let found: Vec<String> = all
            .filter(|(a, b)| ahead(a, b).is_some_and(fits))
            .map(|(a, b)| format!("{} and {}", a.label, b.label))
            .collect();
        match found.len() {
            1..=3 => format!(" (it is what {} differ by)", found.join(", or ")),
            _ => String::new(),
        }
    }

    fn p(&self, figure: &Figure, value: Number) -> Result<Judged, Problem> {
        let metric = self.metric_at(&figure.place);
        let mut told = Vec::new();
        for pair in self.pairs_at(figure)? {
            let (name, _) = Metric::of(metric.as_ref(), &pair.a);
            let Some(p) = super::source::p_value(&pair.a, &pair.b, &name) else { continue };
            let words = format!("{} against {}: p {}", pair.a.name, pair.b.name, p_value(p));
            if fits(figure.op, value, p) {
                let judged = Judged::new(Verdict::Supported, words);
                let judged = judged.from([pair.a.used(&name), pair.b.used(&name)]);
                return Ok(Judged { p: Some(p), alpha: Some(pair.a.rule.alpha), ..judged });
            }
            told.push(words);
        }
        Ok(match told.is_empty() {
            true => {
                Judged::new(Verdict::WithoutSource, "nothing says which two rows it compares, or one has a single seed")
            }
            false => Judged::new(Verdict::Contradicted, told.join("; ")),
        })
    }

    fn parameters(&self, value: Number, fewer: bool) -> Result<Judged, Problem> {
        let mut told = Vec::new();
        for pair in self.pairs(None)? {
            let (Some(a), Some(b)) = (pair.a.params, pair.b.params) else { continue };
            let share = (a as f64 / b as f64 - 1.0) * 100.0;
            let words = format!("{} has {a} parameters, {} has {b} ({share:+.1} %)", pair.a.name, pair.b.name);
            if rounds(value, if fewer { -share } else { share }) {
                return Ok(Judged::new(Verdict::Supported, words));
            }
            told.push(words);
        }
        Ok(match told.is_empty() {
            true => Judged::new(
                Verdict::WithoutSource,
                "the numbers of parameters are not in any metrics.json that it names",
            ),
            false => Judged::new(Verdict::Contradicted, told.join("; ")),
        })
    }
}
