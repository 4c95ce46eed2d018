//! Where a training runs: the device that is asked for, and what it is.

use tch::{Cuda, Device};

use crate::state::problem::{Kind, Problem};
use crate::state::record::Hardware;

/// The device that a name means; `auto` takes a GPU where there is one.
pub fn named(name: &str) -> Result<Device, Problem> {
    let gpus = if Cuda::is_available() { Cuda::device_count() } else { 0 };
    match (name, name.strip_prefix("cuda:").map(str::parse::<usize>)) {
        ("cpu", _) => Ok(Device::Cpu),
        ("auto", _) => Ok(Device::cuda_if_available()),
        ("cuda", _) if gpus > 0 => Ok(Device::Cuda(0)),
        (_, Some(Ok(number))) if (number as i64) < gpus => Ok(Device::Cuda(number)),
        ("cuda", _) | (_, Some(Ok(_))) => Err(absent(name, gpus, tch::utils::has_cudart())),
        _ => {
            Err(wrong(format!("device is `{name}`; it is auto, cpu, cuda or cuda:N")).hint("set device: auto, or cpu"))
        }
    }
}

/// Why a GPU that is asked for is not there.
fn absent(name: &str, gpus: i64, can_see: bool) -> Problem {
    if !can_see {
        return wrong(format!("device is {name}, and this git-ar-train is built with a libtorch without CUDA"))
            .hint("build it with one that has CUDA: LIBTORCH_USE_PYTORCH=1 cargo xtask engine; or set device: cpu");
    }
    let problem = wrong(format!("device is {name}, and libtorch sees {gpus} GPUs here"));
    match gpus {
        0 => problem.hint("`nvidia-smi` shows GPUs and driver, where there are any; or set device: auto"),
        _ => problem.hint(format!("GPUs are counted from 0: set device: cuda:{}, or auto", gpus - 1)),
    }
}

fn wrong(message: String) -> Problem {
    Problem::new(Kind::Invalid, "device", message)
}

/// Waits until a device has done all that it was given.
pub fn wait(device: Device) {
    if let Device::Cuda(number) = device {
        Cuda::synchronize(number as i64);
    }
}

/// A device as `metrics.json` tells of it.
#[must_use]
pub fn hardware(device: Device) -> Hardware {
    let (device, name) = match device {
        Device::Cuda(number) => (format!("cuda:{number}"), graphics()),
        _ => ("cpu".to_string(), processor()),
    };
    Hardware { device, name, threads: tch::get_num_threads().unsigned_abs(), ..Hardware::default() }
}

/// The processor's name, where Linux tells it.
fn processor() -> Option<String> {
    named_in(&std::fs::read_to_string("/proc/cpuinfo").ok()?, "model name")
}

/// The GPUs' name, where NVIDIA's driver tells it and all have the same: libtorch numbers them in its own order.
fn graphics() -> Option<String> {
    let gpus = std::fs::read_dir("/proc/driver/nvidia/gpus").ok()?.flatten();
    let mut names = gpus.map(|gpu| named_in(&std::fs::read_to_string(gpu.path().join("information")).ok()?, "Model"));
    let first = names.next()?;
    first.filter(|first| names.all(|name| name.as_ref() == Some(first)))
}

/// What follows the colon in the first line that begins with a key.
fn named_in(text: &str, key: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with(key))?;
    line.split_once(':').map(|(_, name)| name.trim().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gpu_that_is_not_there_is_told_with_its_reason() {
        let built_without = absent("cuda", 0, false);
        assert!(built_without.message.contains("without CUDA"), "{built_without}");
        assert!(built_without.hint.unwrap().contains("LIBTORCH_USE_PYTORCH=1 cargo xtask engine"));
        assert!(absent("cuda", 0, true).hint.unwrap().contains("nvidia-smi"));
        assert!(absent("cuda:2", 2, true).hint.unwrap().contains("cuda:1"));
        assert!(named("cuda:x").unwrap_err().message.contains("it is auto, cpu, cuda or cuda:N"));
    }

    #[test]
    fn names_are_read_as_the_system_tells_them() {
        assert_eq!(named_in("Model: \t\t Tesla V100\nIRQ: 3\n", "Model").as_deref(), Some("Tesla V100"));
        assert_eq!(named_in("vendor_id\t: A\nmodel name\t: AMD EPYC\n", "model name").as_deref(), Some("AMD EPYC"));
        assert_eq!(named_in("nothing", "Model"), None);
    }
}
