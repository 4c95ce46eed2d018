//! The memory of tensors: as slices, with loops over it at the processor's full width, and how it is reused. The one
//! place with `unsafe`.
#![allow(unsafe_code)]

use tch::{Device, Kind, Tensor};

/// Whether a tensor's numbers lie in the processor's memory in one piece.
#[must_use]
pub fn is_plain(tensor: &Tensor) -> bool {
    tensor.device() == Device::Cpu && tensor.kind() == Kind::Float && tensor.is_contiguous()
}

/// The numbers of a plain tensor.
#[must_use]
pub fn floats(tensor: &Tensor) -> &[f32] {
    assert!(is_plain(tensor), "callers ask is_plain first");
    // SAFETY: a plain tensor's storage holds `numel` floats from `data_ptr` on and lives as long as the tensor.
    unsafe { std::slice::from_raw_parts(tensor.data_ptr().cast::<f32>().cast_const(), tensor.numel()) }
}

/// The numbers of a plain tensor, for writing. No other slice of the same storage may be alive.
#[must_use]
pub fn floats_mut(tensor: &mut Tensor) -> &mut [f32] {
    assert!(is_plain(tensor), "callers ask is_plain first");
    // SAFETY: as above; libtorch touches the storage only inside calls made by this thread, and none is running.
    unsafe { std::slice::from_raw_parts_mut(tensor.data_ptr().cast::<f32>(), tensor.numel()) }
}

/// Keeps freed memory for the next step. Called once, before any thread starts.
///
/// Each step frees all that it has allocated. As it comes, glibc hands the top of its heap back to the system, which
/// zeroes every page of it again for the next step: a quarter of the time of a small convolutional network. Pieces of
/// 32 MiB and more still go back at once: among them the heap would become a sieve, and they are used for longer than
/// their pages take to zero.
pub fn keep() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        // SAFETY: `mallopt` takes numbers and touches the allocator's settings only; no other thread runs yet.
        unsafe {
            libc::mallopt(libc::M_MMAP_THRESHOLD, 32 << 20);
            libc::mallopt(libc::M_TRIM_THRESHOLD, 512 << 20);
            // A second arena, which threads get otherwise, is made of heaps of 64 MiB.
            libc::mallopt(libc::M_ARENA_MAX, 1);
        }
    }
}

/// A loop over slices. `run` is marked `#[inline(always)]`, so that it is compiled for the caller's processor.
pub trait Pass {
    /// The loop.
    fn run(self);
}

/// Runs a loop with 256-bit vectors where the processor has them. The numbers are the same either way: the compiler
/// contracts no product with a sum.
pub fn widest(pass: impl Pass) {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2")]
        fn wide(pass: impl Pass) {
            pass.run();
        }
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has just been asked.
            return unsafe { wide(pass) };
        }
    }
    pass.run();
}
