//! How this machine fetches Debian packages: its mirror, proxies and date checks.
//!
//! Images are built where apt may already be told to use a proxy or a mirror of the house. That configuration is read when
//! images are built, handed to apt for the length of the build, and left out of the images.

use tokio::process::Command;

/// The variable that names an archive of Debian packages, for machines that are not Debian and have none of their own.
pub(super) const ARCHIVE_VARIABLE: &str = "GRENADIER_DEBIAN_ARCHIVE";

/// The options worth handing on: how to reach a mirror and how strict to be about its dates. What apt does with what it
/// fetched (hooks, caches, languages) is not the host's to say.
const OPTION_PREFIXES: [&str; 6] = [
    "Acquire::http::",
    "Acquire::https::",
    "Acquire::Retries",
    "Acquire::ForceIPv",
    "Acquire::Check-Valid-Until",
    "Acquire::Check-Date",
];

/// Variables through which a proxy is configured for apt, in both spellings that tools honour.
const PROXY_VARIABLES: [&str; 6] = ["http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"];

/// Names by which a host's own sources may call a Debian release.
const DEBIAN_RELEASES: [&str; 9] =
    ["bullseye", "bookworm", "trixie", "forky", "oldoldstable", "oldstable", "stable", "testing", "sid"];

/// The host's way to Debian packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AptSetup {
    /// The address of the archive, without a suite.
    pub(super) archive: String,
    /// Lines of apt.conf, each ending in a semicolon.
    pub(super) options: Vec<String>,
    /// Proxy variables, `NAME=value`.
    pub(super) environment: Vec<String>,
}

impl AptSetup {
    /// Asks the environment and the host's apt; none where neither knows an archive.
    pub(super) async fn of_host() -> Option<Self> {
        let dump = output_of(Command::new("apt-config").arg("dump")).await;
        let targets = output_of(Command::new("apt-get").args([
            "indextargets",
            "--format",
            "$(COMPONENT) $(RELEASE) $(REPO_URI)",
            "Created-By: Packages",
        ]))
        .await;
        let variable = |name: &&str| std::env::var(name).ok().map(|value| format!("{name}={value}"));
        let named = std::env::var(ARCHIVE_VARIABLE).ok().filter(|address| !address.is_empty());
        Some(Self {
            archive: named.or_else(|| archive(&targets))?,
            options: options(&dump),
            environment: PROXY_VARIABLES.iter().filter_map(variable).collect(),
        })
    }
}

/// What a command prints, or nothing where it cannot be run: both commands only read what may be absent.
async fn output_of(command: &mut Command) -> String {
    let output = command.kill_on_drop(true).output().await;
    output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
}

/// The options of a dump that are worth handing on.
///
/// A dump lists set options as `Name "value";` and everything else with an empty value, which would switch things off.
fn options(dump: &str) -> Vec<String> {
    let wanted = |line: &&str| {
        OPTION_PREFIXES.iter().any(|prefix| line.starts_with(prefix))
            && line.ends_with("\";")
            && !line.ends_with(" \"\";")
    };
    dump.lines().filter(wanted).map(str::to_owned).collect()
}

/// The archive that the host's main component of a Debian release comes from.
///
/// Security and update archives have suites of other names (`bookworm-security`); a plain code name marks the archive that
/// has every release side by side. The origin field is no help: it is known only after the host's lists were fetched.
fn archive(targets: &str) -> Option<String> {
    targets.lines().find_map(|line| match line.split_ascii_whitespace().collect::<Vec<_>>()[..] {
        ["main", suite, address] if DEBIAN_RELEASES.contains(&suite) => Some(address.trim_end_matches('/').to_owned()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_options_about_fetching_are_handed_on() {
        let dump = "APT::Architecture \"amd64\";\nAcquire \"\";\nAcquire::http::Proxy \"http://198.18.0.1:3142\";\n\
                    Acquire::http::Timeout \"\";\nAcquire::Languages:: \"none\";\nAcquire::Check-Valid-Until \"false\";\n\
                    DPkg::Post-Invoke:: \"rm -f /var/cache/apt/*.bin\";\n";
        assert_eq!(
            options(dump),
            ["Acquire::http::Proxy \"http://198.18.0.1:3142\";", "Acquire::Check-Valid-Until \"false\";"]
        );
    }

    #[test]
    fn the_archive_is_debian_main_of_a_plain_suite() {
        let targets = "main nodistro http://one.example/\n\
                       main bookworm-security http://two.example/debian-security/\n\
                       main bookworm http://three.example/debian/\n";
        assert_eq!(archive(targets).as_deref(), Some("http://three.example/debian"));
        assert_eq!(archive("main noble http://four.example/ubuntu/\n"), None);
        assert_eq!(archive(""), None);
    }
}
