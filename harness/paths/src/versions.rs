//! The versions between which a system is upgraded.

use grenadier_catalog::System;
use grenadier_scenario::{ProductVersion, VersionChoice};

/// A version as scenarios name it, and all that is known about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownVersion {
    /// As a scenario names it.
    pub choice: VersionChoice,
    /// What it is.
    pub version: ProductVersion,
}

/// The versions of a system, oldest first: those of the catalogue, and one's own where a scenario names some.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versions(Vec<KnownVersion>);

impl Versions {
    /// Those of `system`, with every other among `named`.
    pub fn of<'a>(system: &'static System, named: impl IntoIterator<Item = &'a VersionChoice>) -> Versions {
        let catalogue = system.versions.iter().map(|version| VersionChoice::Catalogue(version.name.to_owned()));
        let mut choices: Vec<VersionChoice> = catalogue.collect();
        for choice in named {
            if !choices.contains(choice) {
                choices.push(choice.clone());
            }
        }
        let mut known: Vec<KnownVersion> =
            choices.into_iter().map(|choice| KnownVersion { version: choice.resolve(system), choice }).collect();
        // One's own comes behind the vendor's of the same number.
        known.sort_by_key(|known| known.version.number);
        Versions(known)
    }

    /// The version in this place.
    pub fn at(&self, at: usize) -> &KnownVersion {
        &self.0[at]
    }

    /// All of them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &KnownVersion> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The place of the version with this name, or, where none has it, with this number.
    pub fn find(&self, text: &str) -> Option<usize> {
        let by_name = self.0.iter().position(|known| known.version.name == text);
        by_name.or_else(|| self.0.iter().position(|known| text.parse() == Ok(known.version.number)))
    }

    /// The place of this very version.
    pub fn place(&self, version: &ProductVersion) -> Option<usize> {
        self.0.iter().position(|known| known.version == *version)
    }

    /// Their names, for hints.
    pub fn names(&self) -> Vec<&str> {
        self.0.iter().map(|known| known.version.name.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use grenadier_scenario::parse;

    use super::*;

    #[test]
    fn ones_own_stands_where_its_number_belongs() {
        let source = "
name: mine
system: haproxy-appliance
from: {like: v0.1.10, version: v0.1.11}
to: {like: v0.2.0}
topology: {vsphere: 7.0.1, networks: frontend}
create:
  - load-balancer: {name: shop, vip: frontend+20, port: 443, backends: 3}
";
        let scenario = parse(source, "mine.yaml").unwrap();
        let versions = Versions::of(scenario.catalogue_system(), [&scenario.from, &scenario.to]);
        let names = ["v0.1.8", "v0.1.9", "v0.1.10", "v0.1.11 (like v0.1.10)", "v0.2.0", "own version like v0.2.0"];
        assert_eq!(versions.names(), names);
        assert_eq!(
            (versions.find("v0.1.11"), versions.find("0.2.0"), versions.find("v0.2.0")),
            (Some(3), Some(4), Some(4))
        );
        assert_eq!((versions.find("own version like v0.2.0"), versions.find("v9.9.9")), (Some(5), None));
        assert_eq!(versions.place(&scenario.target_version()), Some(5));
    }
}
