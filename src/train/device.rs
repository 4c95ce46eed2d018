//! Where a training runs: the device that is asked for, and what it is.

use tch::{Cuda, Device};

use crate::state::problem::{Kind, Problem};
use crate::state::record::Hardware;

/// The device that a name means; `auto` takes a GPU where there is one.
pub fn named(name: &str) -> Result<Device, Problem> {
    let wrong = |message: String| Err(Problem::new(Kind::Invalid, "device", message).hint("set device: auto, or cpu"));
    let gpus = if Cuda::is_available() { Cuda::device_count() } else { 0 };
    match (name, name.strip_prefix("cuda:").map(str::parse::<usize>)) {
        ("cpu", _) => Ok(Device::Cpu),
        ("auto", _) => Ok(Device::cuda_if_available()),
        ("cuda", _) if gpus > 0 => Ok(Device::Cuda(0)),
        (_, Some(Ok(number))) if (number as i64) < gpus => Ok(Device::Cuda(number)),
        ("cuda", _) | (_, Some(Ok(_))) => wrong(format!("device is {name}, and libtorch sees {gpus} GPUs here")),
        _ => wrong(format!("device is `{name}`; it is auto, cpu, cuda or cuda:N")),
    }
}

/// A device as `metrics.json` tells of it.
#[must_use]
pub fn hardware(device: Device) -> Hardware {
    let (device, name) = match device {
        Device::Cuda(number) => (format!("cuda:{number}"), None),
        _ => ("cpu".to_string(), processor()),
    };
    Hardware { device, name, threads: tch::get_num_threads().unsigned_abs() }
}

/// The processor's name, where Linux tells it.
fn processor() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    line.split_once(':').map(|(_, name)| name.trim().to_string())
}
