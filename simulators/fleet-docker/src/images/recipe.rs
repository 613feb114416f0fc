//! What is in an image.

use sha2::{Digest, Sha256};
use std::fmt;

/// Label: the hash of the recipe that an image was made by.
pub const RECIPE: &str = "grenadier.recipe";

/// Part of every recipe's hash: raise it when the way of building changes, so that cached images are built again.
const BUILD_FORMAT: u32 = 1;

/// A Debian release that images are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Suite {
    /// Debian 11; HAProxy 2.2.9.
    Bullseye,
    /// Debian 12; HAProxy 2.6.12.
    Bookworm,
    /// Debian 13; HAProxy 3.0.11.
    Trixie,
}

impl Suite {
    /// The release's code name, as archives spell it.
    pub fn name(self) -> &'static str {
        match self {
            Suite::Bullseye => "bullseye",
            Suite::Bookworm => "bookworm",
            Suite::Trixie => "trixie",
        }
    }

    /// The official image of this release, from which a base image is made where a registry answers.
    ///
    /// Only official images are ever pulled: the names of our own images belong to nobody on public registries, and
    /// whoever took them could put anything there.
    pub fn official_image(self) -> String {
        format!("debian:{}-slim", self.name())
    }
}

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What an image starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parent {
    /// Nothing: the minimal system of the suite.
    Suite,
    /// Another image of ours, of the same suite.
    Image(Box<ImageRecipe>),
}

/// How an image is made: a parent, packages on top, then shell commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageRecipe {
    /// Repository and tag, `grenadier/node:bookworm`.
    pub name: String,
    /// The Debian release the packages come from.
    pub suite: Suite,
    /// What it starts from.
    pub parent: Parent,
    /// Debian packages, installed without what they only recommend.
    pub packages: Vec<String>,
    /// Commands for `sh -e` in the image, run in order after the packages are installed.
    pub steps: Vec<String>,
}

impl ImageRecipe {
    /// The SHA-256, in hexadecimal, of everything that decides the image's content; the name does not.
    pub fn hash(&self) -> String {
        let mut digest = Sha256::new();
        let mut line = |kind: &str, text: &str| {
            // Lengths keep two short entries apart from one long entry that spells the same.
            digest.update(format!("{kind} {} {text}\n", text.len()).as_bytes());
        };
        line("format", &BUILD_FORMAT.to_string());
        line("suite", self.suite.name());
        if let Parent::Image(parent) = &self.parent {
            line("parent", &parent.hash());
        }
        for package in &self.packages {
            line("package", package);
        }
        for step in &self.steps {
            line("step", step);
        }
        hex::encode(digest.finalize())
    }

    /// The minimal system of a suite, which the other images of that suite share.
    ///
    /// Certificates are in it so that later steps can use a mirror that speaks HTTPS only.
    pub fn base(suite: Suite) -> Self {
        Self {
            name: format!("grenadier/base:{suite}"),
            suite,
            parent: Parent::Suite,
            packages: packages(&["ca-certificates"]),
            steps: Vec::new(),
        }
    }

    /// A generation of the HAProxy appliance: the suite's HAProxy and what answers for addresses.
    ///
    /// Debian's configuration file is removed: an appliance without its own configuration must fail to start instead of
    /// serving somebody else's.
    pub fn haproxy_appliance(suite: Suite) -> Self {
        Self {
            name: format!("grenadier/haproxy-appliance:{suite}"),
            suite,
            parent: Parent::Image(Box::new(Self::base(suite))),
            packages: packages(&["haproxy", "iproute2", "iputils-arping", "procps"]),
            steps: vec!["rm -f /etc/haproxy/haproxy.cfg".to_owned()],
        }
    }

    /// A small machine for probes, backends and operators.
    pub fn node(suite: Suite) -> Self {
        Self {
            name: format!("grenadier/node:{suite}"),
            suite,
            parent: Parent::Image(Box::new(Self::base(suite))),
            packages: packages(&["iproute2", "iputils-arping", "procps"]),
            steps: Vec::new(),
        }
    }
}

fn packages(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Every image that the embedded scenarios use: whoever has run `grenadier images` can run each of them.
pub fn standard() -> Vec<ImageRecipe> {
    vec![
        ImageRecipe::base(Suite::Bullseye),
        ImageRecipe::base(Suite::Bookworm),
        ImageRecipe::base(Suite::Trixie),
        ImageRecipe::haproxy_appliance(Suite::Bullseye),
        ImageRecipe::haproxy_appliance(Suite::Bookworm),
        ImageRecipe::haproxy_appliance(Suite::Trixie),
        ImageRecipe::node(Suite::Bookworm),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_hash_changes_with_content_and_not_with_the_name() {
        let node = ImageRecipe::node(Suite::Bookworm);
        let renamed = ImageRecipe { name: "grenadier/other:bookworm".to_owned(), ..node.clone() };
        assert_eq!(node.hash(), renamed.hash());

        let mut variants = vec![node.clone()];
        variants.push(ImageRecipe { suite: Suite::Bullseye, ..node.clone() });
        variants.push(ImageRecipe { parent: Parent::Suite, ..node.clone() });
        variants.push(ImageRecipe { packages: packages(&["iproute2"]), ..node.clone() });
        variants.push(ImageRecipe { packages: packages(&["iproute2", "iputils-arpingprocps"]), ..node.clone() });
        variants.push(ImageRecipe { steps: vec!["true".to_owned()], ..node.clone() });
        let mut base = ImageRecipe::base(Suite::Bookworm);
        base.packages.clear();
        variants.push(ImageRecipe { parent: Parent::Image(Box::new(base)), ..node });
        let hashes: BTreeSet<_> = variants.iter().map(ImageRecipe::hash).collect();
        assert_eq!(hashes.len(), variants.len());
    }

    #[test]
    fn standard_images_have_distinct_names_with_tags() {
        let names: BTreeSet<_> = standard().into_iter().map(|recipe| recipe.name).collect();
        assert_eq!(names.len(), standard().len());
        assert!(names.iter().all(|name| name.starts_with("grenadier/") && name.contains(':')));
    }
}
