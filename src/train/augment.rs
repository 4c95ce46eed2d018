//! Augmentation of small images: a random crop of the image with a border of 4, and a flip of every second one.

use tch::{Kind, Tensor};

use crate::runs::digits::Random;

/// Pixels of the border.
const BORDER: i64 = 4;

/// Crops and flips a batch (B, C, H, W). `black` is the value of a pixel outside, (1, C, 1, 1).
pub fn crop_and_flip(x: &Tensor, black: &Tensor, random: &mut Random) -> Tensor {
    let (batch, channels, rows, columns) = x.size4().expect("images have four dimensions");
    let padded = (x - black).constant_pad_nd([BORDER; 4]) + black;
    let drawn = Tensor::from_slice(&draws(batch, random)).view([3, batch, 1, 1]).to_device(x.device());
    let places = places(&drawn, rows, columns).view([batch, 1, rows * columns]);
    let places = places.expand([batch, channels, rows * columns], false);
    padded.flatten(2, 3).gather(2, &places, false).view([batch, channels, rows, columns])
}

/// For every image the first row and the first column of its crop, and 1 where it is flipped, else 0: (3, B).
fn draws(batch: i64, random: &mut Random) -> Vec<i64> {
    let mut below = |count: i64| (random.unit() * count as f32) as i64;
    let images: Vec<[i64; 3]> = (0..batch).map(|_| [below(2 * BORDER + 1), below(2 * BORDER + 1), below(2)]).collect();
    (0..3).flat_map(|what| images.iter().map(move |image| image[what])).collect()
}

/// For every image and every pixel of its crop the place in the padded image, (B, rows, columns). It is computed where
/// the images lie: what a GPU waits for is a few numbers an image.
fn places(drawn: &Tensor, rows: i64, columns: i64) -> Tensor {
    let [top, left, flipped] = [0, 1, 2].map(|what| drawn.get(what)); // (B, 1, 1)
    let count = |count: i64| Tensor::arange(count, (Kind::Int64, drawn.device()));
    let row = count(rows).view([1, rows, 1]) + top;
    let column = count(columns).view([1, 1, columns]);
    let column = left + &column + flipped * (columns - 1 - 2 * column);
    row * (columns + 2 * BORDER) + column
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Device;

    #[test]
    fn crops_are_pieces_of_the_image_or_of_its_mirror() {
        let x = Tensor::arange(2 * 3 * 64, (Kind::Float, Device::Cpu)).view([2, 3, 8, 8]) + 1.0;
        let black = Tensor::from_slice(&[-1.0f32, -2.0, -3.0]).view([1, 3, 1, 1]);
        let padded = (&x - &black).constant_pad_nd([BORDER; 4]) + &black;
        let mut random = Random::new(&[5]);
        let mut flips = 0;
        for _ in 0..20 {
            let y = crop_and_flip(&x, &black, &mut random);
            assert_eq!(y.size(), x.size());
            for image in 0..2 {
                let (y, whole) = (y.get(image), padded.get(image));
                let pieces = (0..81).map(|n| whole.narrow(1, n / 9, 8).narrow(2, n % 9, 8));
                let found = pieces.map(|p| (p == y, p.flip([2]) == y)).find(|(same, mirror)| *same || *mirror);
                flips += usize::from(found.expect("a piece of the padded image").1);
            }
        }
        assert!((8..32).contains(&flips), "{flips} of 40 are mirrored");
    }
}
