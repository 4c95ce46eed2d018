//! What optimizers share: the trained numbers, what a rule remembers of each of them, and the way through memory.

use tch::{Kind, Tensor};

use crate::train::memory::{floats, floats_mut, is_plain};
use crate::train::params::{Joined, Span};

/// All trained numbers, and beside each of them N that the rule keeps. They start at 0.
pub struct Slots<const N: usize> {
    /// The trained numbers, with unused ones between the parameters.
    pub numbers: Tensor,
    /// What the rule keeps, laid out in the same way.
    pub kept: [Tensor; N],
    /// Steps taken, for a rule that counts them.
    pub steps: Option<i64>,
    names: [&'static str; N],
    spans: Vec<Span>,
    unused: Tensor,
}

impl<const N: usize> Slots<N> {
    /// `names` are those of the kept numbers in a checkpoint.
    #[must_use]
    pub fn new(names: [&'static str; N], counts: bool, joined: &Joined) -> Self {
        let between = joined.spans.iter().map(|span| span.len).max().unwrap_or_default();
        Self {
            numbers: joined.flat.shallow_clone(),
            kept: names.map(|_| joined.flat.zeros_like()),
            steps: counts.then_some(0),
            names,
            spans: joined.spans.clone(),
            unused: Tensor::zeros([between as i64], (Kind::Float, joined.flat.device())),
        }
    }

    /// Whether the numbers are the processor's, so that one pass over memory can move them.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        is_plain(&self.numbers)
    }

    /// Calls `pass` for each parameter: its numbers, what is kept beside them, its gradient.
    pub fn each(&mut self, gradients: &[Tensor], mut pass: impl FnMut(&mut [f32], [&mut [f32]; N], &[f32])) {
        let numbers = floats_mut(&mut self.numbers);
        let mut kept = self.kept.each_mut().map(floats_mut);
        for (gradient, span) in gradients.iter().zip(&self.spans) {
            let place = span.start..span.start + span.len;
            let own = kept.each_mut().map(|all| &mut all[place.clone()]);
            pass(&mut numbers[place.clone()], own, floats(&gradient.contiguous()));
        }
    }

    /// All gradients in one tensor, laid out as the numbers are: for operations on everything at once.
    pub fn gathered(&self, gradients: &[Tensor]) -> Tensor {
        let ends = self.spans.iter().skip(1).map(|next| next.start).chain([self.numbers.numel()]);
        let mut pieces = Vec::with_capacity(2 * gradients.len());
        for ((gradient, span), end) in gradients.iter().zip(&self.spans).zip(ends) {
            pieces.push(gradient.flatten(0, -1));
            pieces.push(self.unused.narrow(0, 0, (end - span.start - span.len) as i64));
        }
        Tensor::cat(&pieces, 0)
    }

    /// What goes into a checkpoint.
    #[must_use]
    pub fn state(&self) -> Vec<(&'static str, Tensor)> {
        let kept = self.names.iter().zip(&self.kept).map(|(name, tensor)| (*name, tensor.shallow_clone()));
        kept.chain(self.steps.map(|steps| ("steps", Tensor::from_slice(&[steps])))).collect()
    }

    /// Takes back what [`Slots::state`] gave; false when something is missing or of another size.
    pub fn restore(&mut self, find: &dyn Fn(&str) -> Option<Tensor>) -> bool {
        let fitting = |name: &&str| find(name).filter(|found| found.size() == self.numbers.size());
        let Some(found) = self.names.iter().map(fitting).collect::<Option<Vec<_>>>() else { return false };
        if self.steps.is_some() {
            let Some(steps) = find("steps").filter(|steps| steps.kind() == Kind::Int64) else { return false };
            self.steps = Some(steps.int64_value(&[0]));
        }
        self.kept.iter_mut().zip(&found).for_each(|(kept, found)| kept.copy_(found));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::params::Params;
    use tch::Device;

    #[test]
    fn gathered_gradients_lie_where_their_numbers_lie() {
        let mut params = Params::new(1);
        let _ = (params.uniform("a", &[3, 5], 1.0), params.uniform("b", &[37], 1.0), params.uniform("c", &[16], 1.0));
        let joined = params.join(Device::Cpu);
        let slots = Slots::new(["velocity"], false, &joined);
        // Each number is its own gradient; what is unused stays 0.
        let gathered = slots.gathered(&joined.leaves);
        assert_eq!(gathered.size(), joined.flat.size());
        assert_eq!((gathered - &joined.flat).abs().max().double_value(&[]), 0.0);
    }

    #[test]
    fn what_does_not_fit_is_not_taken_back() {
        let mut params = Params::new(1);
        let _ = params.uniform("a", &[20], 1.0);
        let mut slots = Slots::new(["mean"], true, &params.join(Device::Cpu));
        let floats = |count: i64| Tensor::ones([count], (Kind::Float, Device::Cpu));
        let steps = || Tensor::from_slice(&[7i64]);
        assert!(!slots.restore(&|name| (name == "mean").then(|| floats(32))));
        assert!(!slots.restore(&|name| Some(if name == "steps" { steps() } else { floats(20) })));
        assert_eq!(slots.steps, Some(0));
        assert!(slots.restore(&|name| Some(if name == "steps" { steps() } else { floats(32) })));
        assert_eq!((slots.steps, slots.kept[0].sum(Kind::Float).double_value(&[])), (Some(7), 32.0));
    }
}
