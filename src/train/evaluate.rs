//! What a model makes of images that it does not learn from.

use tch::{Kind, Reduction, Tensor};

use super::data::Part;
use super::models::{Mode, Model};

/// Images looked at in one go: few enough that looking takes no more memory than learning.
const BATCH: i64 = 250;

/// Accuracy as a fraction, and mean cross-entropy in nats.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Share of images whose class scores highest.
    pub accuracy: f64,
    /// Mean cross-entropy.
    pub loss: f64,
}

/// The score of a model on the first `most` images of a part.
#[must_use]
pub fn evaluate(model: &dyn Model, part: &Part, most: usize) -> Score {
    let _guard = tch::no_grad_guard();
    let count = part.count().min(most) as i64;
    let (mut right, mut loss) = (Vec::new(), Vec::new());
    for start in (0..count).step_by(BATCH as usize) {
        let len = BATCH.min(count - start);
        let (images, labels) = part.slice(start, len);
        let scores = model.forward(&images, Mode::Eval);
        right.push(scores.argmax(1, false).eq_tensor(&labels).sum(Kind::Double));
        let nats = scores.cross_entropy_loss(&labels, None::<&Tensor>, Reduction::Sum, -100, 0.0);
        loss.push(nats.to_kind(Kind::Double));
    }
    let mean = |sums: &[Tensor]| Tensor::stack(sums, 0).sum(Kind::Double).double_value(&[]) / count as f64;
    Score { accuracy: mean(&right), loss: mean(&loss) }
}
