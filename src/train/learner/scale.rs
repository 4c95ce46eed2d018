//! Loss scaling (Micikevicius and others, 2018): small gradients survive float16 when the loss is multiplied before.
//!
//! ```text
//! g = ∇(2ᵏ loss) / 2ᵏ          a g that is not finite: no step, k <- k - 1          2000 finite in a row: k <- k + 1
//! ```

use tch::{Kind, Tensor};

/// k at the start.
const START: i64 = 16;
/// Steps in a row after which k grows.
const ENOUGH: i64 = 2000;

/// How far the loss is scaled.
#[derive(Debug)]
pub struct Scale {
    exponent: i64,
    finite: i64,
}

impl Default for Scale {
    fn default() -> Self {
        Self { exponent: START, finite: 0 }
    }
}

impl Scale {
    /// The loss whose gradient is taken.
    pub fn up(&self, loss: &Tensor) -> Tensor {
        loss * self.factor()
    }

    /// Brings the gradients back to their size; false when one of them is not finite and no step is to be taken.
    pub fn down(&mut self, gradients: &mut [Tensor]) -> bool {
        let sums: Vec<Tensor> = gradients.iter().map(|gradient| gradient.sum(Kind::Float)).collect();
        if !Tensor::stack(&sums, 0).sum(Kind::Float).double_value(&[]).is_finite() {
            (self.exponent, self.finite) = ((self.exponent - 1).max(0), 0);
            return false;
        }
        for gradient in gradients {
            let _ = gradient.g_mul_scalar_(1.0 / self.factor());
        }
        self.finite += 1;
        if self.finite == ENOUGH {
            (self.exponent, self.finite) = (self.exponent + 1, 0);
        }
        true
    }

    /// What goes into a checkpoint.
    pub fn state(&self) -> Tensor {
        Tensor::from_slice(&[self.exponent, self.finite])
    }

    /// Takes back what [`Scale::state`] gave; false when it is something else.
    pub fn restore(&mut self, state: &Tensor) -> bool {
        let fits = state.kind() == Kind::Int64 && state.size() == [2];
        if fits {
            (self.exponent, self.finite) = (state.int64_value(&[0]), state.int64_value(&[1]));
        }
        fits
    }

    fn factor(&self) -> f64 {
        (self.exponent as f64).exp2()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_shrinks_at_once_and_grows_slowly() {
        let mut scale = Scale::default();
        let mut down = |value: f32| {
            let mut gradients = [Tensor::from_slice(&[value, 0.0]), Tensor::from_slice(&[1.0f32])];
            (scale.down(&mut gradients), gradients[0].double_value(&[0]), scale.exponent)
        };
        assert_eq!(down(65536.0), (true, 1.0, 16));
        assert!(!down(f32::INFINITY).0 && !down(f32::NEG_INFINITY).0);
        assert_eq!(down(f32::NAN).2, 13);
        assert_eq!((1..ENOUGH).map(|_| down(1.0).2).max(), Some(13));
        assert_eq!(down(8192.0), (true, 1.0, 14));
        for _ in 0..20 {
            down(f32::NAN);
        }
        assert_eq!(down(1.0), (true, 1.0, 0));
    }

    #[test]
    fn it_is_restored() {
        let mut scale = Scale { exponent: 3, finite: 7 };
        let state = scale.state();
        scale = Scale::default();
        assert!(scale.restore(&state) && (scale.exponent, scale.finite) == (3, 7));
        assert!(!scale.restore(&Tensor::from_slice(&[1.0f32, 2.0])));
    }
}
