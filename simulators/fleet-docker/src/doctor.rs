//! Whether an engine is fit for the docker world, before a run finds out.

use std::error::Error;
use std::net::Ipv4Addr;
use std::path::Path;

use bollard::Docker;
use ipnet::Ipv4Net;
use schemars::JsonSchema;
use serde::Serialize;

use crate::blocks::{RANGE, free_blocks};
use crate::engine::connect;
use crate::images::missing;
use crate::sweep::leftovers;

/// What a run with its images and snapshots takes at most, and as much again.
const DISK_BYTES: u64 = 2 << 30;
/// How many segments a run has at most.
const SEGMENTS: usize = 3;
/// With less, the programs of a run wait for each other.
const CORES: i64 = 2;
/// What the programs of a run take, and as much again.
const MEMORY_BYTES: i64 = 2 << 30;

/// How something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Fitness {
    /// As a run needs it.
    Fit,
    /// A run goes, and something about it may be worse than it could be.
    Doubtful,
    /// No run goes.
    Unfit,
}

/// What was found out about one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Finding {
    /// The thing: `virtual world`, `engine`, `disk` and so on.
    pub about: &'static str,
    /// How it stands.
    pub fitness: Fitness,
    /// In one line.
    pub says: String,
    /// What a person can do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Finding {
    /// Something that is as it must be.
    pub fn fit(about: &'static str, says: impl Into<String>) -> Finding {
        Finding { about, fitness: Fitness::Fit, says: says.into(), hint: None }
    }

    /// Something that an error stands in the way of.
    pub fn broken(about: &'static str, error: &dyn Error, hint: &str) -> Finding {
        let mut says = error.to_string();
        let mut next = error.source();
        while let Some(cause) = next {
            says += &format!(": {cause}");
            next = cause.source();
        }
        Finding::not(about, Fitness::Unfit, says, hint)
    }

    /// Something that is not as it should be.
    pub fn not(about: &'static str, fitness: Fitness, says: impl Into<String>, hint: impl Into<String>) -> Finding {
        Finding { about, fitness, says: says.into(), hint: Some(hint.into()) }
    }
}

/// Looks at the engine and everything around it that a run with these images needs. Nothing is changed.
pub async fn examine(images: &[&str]) -> Vec<Finding> {
    let docker = match connect().await {
        Ok(docker) => docker,
        Err(error) => {
            return vec![Finding::broken("engine", &error, error.hint())];
        }
    };
    let mut found = vec![engine(&docker).await];
    found.extend(host(&docker).await);
    found.push(addresses(&docker).await);
    found.push(routes(&std::fs::read_to_string("/proc/net/route").unwrap_or_default()));
    found.push(here(&docker, images).await);
    found.push(left(&docker).await);
    found
}

async fn engine(docker: &Docker) -> Finding {
    let about = "engine";
    match docker.version().await {
        Ok(version) => {
            let name = version.version.unwrap_or_else(|| "of an unknown version".to_owned());
            let system = version.os.unwrap_or_default();
            if system != "linux" {
                let hint = "point DOCKER_HOST at an engine whose containers are Linux";
                return Finding::not(about, Fitness::Unfit, format!("Docker {name} runs {system} containers"), hint);
            }
            let speaks = docker.client_version();
            let speaks = format!("{}.{}", speaks.major_version, speaks.minor_version);
            Finding::fit(about, format!("Docker {name}, spoken to with API {speaks}"))
        }
        Err(error) => Finding::not(about, Fitness::Unfit, format!("does not say its version: {error}"), "restart it"),
    }
}

/// Processors, memory and disk of the engine's machine.
async fn host(docker: &Docker) -> Vec<Finding> {
    let info = match docker.info().await {
        Ok(info) => info,
        Err(error) => {
            return vec![Finding::not(
                "machine",
                Fitness::Unfit,
                format!("the engine does not tell of it: {error}"),
                "restart the engine",
            )];
        }
    };
    let (cores, memory) = (info.ncpu.unwrap_or_default(), info.mem_total.unwrap_or_default());
    let says = format!("{cores} processors, {} MiB of memory", memory >> 20);
    let machine = if cores < CORES || memory < MEMORY_BYTES {
        let hint = format!(
            "a run wants {CORES} processors and {} MiB; outages may look longer than they are",
            MEMORY_BYTES >> 20
        );
        Finding::not("machine", Fitness::Doubtful, says, hint)
    } else {
        Finding::fit("machine", says)
    };
    let root = info.docker_root_dir.unwrap_or_default();
    vec![machine, disk(Path::new(&root))]
}

/// What is free where the engine keeps its data, as far as that is on this machine.
fn disk(root: &Path) -> Finding {
    let about = "disk";
    let shown = root.display();
    let Ok(stat) = rustix::fs::statvfs(root) else {
        return Finding::fit(about, format!("{shown} cannot be seen from here"));
    };
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    let says = format!("{} MiB free in {shown}", free >> 20);
    if free < DISK_BYTES {
        let hint = format!("a run and its images want {} MiB", DISK_BYTES >> 20);
        return Finding::not(about, Fitness::Unfit, says, hint);
    }
    Finding::fit(about, says)
}

async fn addresses(docker: &Docker) -> Finding {
    let about = "addresses";
    match free_blocks(docker, SEGMENTS, 0).await {
        Ok(blocks) => {
            let blocks: Vec<String> = blocks.iter().map(ToString::to_string).collect();
            Finding::fit(about, format!("free for a run: {}", blocks.join(", ")))
        }
        Err(error) => {
            Finding::not(about, Fitness::Unfit, error.to_string(), "`grenadier clean` removes what killed runs left")
        }
    }
}

/// Whether the machine's own routes leave the range to us: a VPN or a test network may use it, too.
fn routes(table: &str) -> Finding {
    let about = "routes";
    let range: Ipv4Net = RANGE.parse().expect("the range is well-formed");
    let theirs = route_lines(table).filter(|(device, net)| {
        // The engine's own bridges are counted as its networks. The default route leads everywhere and is in nobody's way.
        !device.starts_with("br-")
            && *device != "docker0"
            && net.prefix_len() > 0
            && (range.contains(net) || net.contains(&range))
    });
    let theirs: Vec<String> = theirs.map(|(device, net)| format!("{net} over {device}")).collect();
    if theirs.is_empty() {
        return Finding::fit(about, format!("nobody else uses {RANGE}"));
    }
    let hint = "take that network down while rehearsing; answers from it would be taken for the rehearsal's";
    Finding::not(about, Fitness::Doubtful, format!("this machine routes {}", theirs.join(", ")), hint)
}

/// Device and destination of each route, as `/proc/net/route` tells them (proc(5)): in hexadecimal, in the byte order of the host.
fn route_lines(table: &str) -> impl Iterator<Item = (&str, Ipv4Net)> {
    table.lines().skip(1).filter_map(|line| {
        let mut fields = line.split_whitespace();
        let (device, destination, mask) = (fields.next()?, fields.next()?, fields.nth(5)?);
        let address = |text: &str| Some(Ipv4Addr::from(u32::from_str_radix(text, 16).ok()?.to_ne_bytes()));
        Some((device, Ipv4Net::with_netmask(address(destination)?, address(mask)?).ok()?))
    })
}

async fn here(docker: &Docker, images: &[&str]) -> Finding {
    let about = "images";
    match missing(docker, images).await {
        Ok(none) if none.is_empty() => Finding::fit(about, format!("{} are there", images.len())),
        Ok(missing) => {
            let hint = if on_path("mmdebstrap") {
                "`grenadier images` makes them"
            } else {
                "`grenadier images` pulls them where a registry answers; where none does, it needs mmdebstrap, which is not installed"
            };
            Finding::not(about, Fitness::Unfit, format!("not there: {}", missing.join(", ")), hint)
        }
        Err(error) => {
            Finding::not(about, Fitness::Unfit, format!("cannot be looked up: {error}"), "restart the engine")
        }
    }
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

async fn left(docker: &Docker) -> Finding {
    let about = "leftovers";
    match leftovers(docker).await {
        Ok(none) if none.is_empty() => Finding::fit(about, "none"),
        Ok(left) => {
            let names: Vec<String> = left.iter().map(ToString::to_string).collect();
            let says = format!("{} of runs that have ended: {}", left.len(), names.join(", "));
            Finding::not(about, Fitness::Doubtful, says, "the next run removes them, and so does `grenadier clean`")
        }
        Err(error) => {
            Finding::not(about, Fitness::Unfit, format!("cannot be looked for: {error}"), "restart the engine")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";

    fn route(device: &str, destination: [u8; 4], mask: [u8; 4]) -> String {
        let hex = |bytes: [u8; 4]| format!("{:08X}", u32::from_ne_bytes(bytes));
        format!("{device}\t{}\t00000000\t0001\t0\t0\t0\t{}\t0\t0\t0\n", hex(destination), hex(mask))
    }

    #[test]
    fn a_network_of_somebody_elses_in_the_range_is_told() {
        let usual = HEAD.to_owned()
            + &route("eth0", [0, 0, 0, 0], [0, 0, 0, 0])
            + &route("eth0", [192, 168, 1, 0], [255, 255, 255, 0])
            + &route("docker0", [172, 17, 0, 0], [255, 255, 0, 0])
            + &route("br-1a2b", [198, 18, 16, 0], [255, 255, 240, 0]);
        assert_eq!(routes(&usual).fitness, Fitness::Fit);
        let vpn = routes(&(usual + &route("tun0", [198, 18, 0, 0], [255, 255, 0, 0])));
        assert_eq!(
            (vpn.fitness, vpn.says.as_str()),
            (Fitness::Doubtful, "this machine routes 198.18.0.0/16 over tun0")
        );
        assert_eq!(routes("").fitness, Fitness::Fit);
    }

    #[test]
    fn a_disk_that_is_not_here_is_nobodys_fault() {
        assert_eq!(disk(Path::new("/nonexistent/docker")).fitness, Fitness::Fit);
        assert!(disk(Path::new("/")).says.ends_with(" MiB free in /"));
    }
}
