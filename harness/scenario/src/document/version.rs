//! Which version of the product: the catalogue's or one's own.

use std::collections::BTreeMap;
use std::fmt;

use grenadier_catalog::{FactValue, System, VersionFacts, VersionNumber};
use schemars::JsonSchema;
use serde::Serialize;

use crate::schema;

/// A version of the catalogue, or one of the user's own that is like one of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum VersionChoice {
    /// The name of a version in the catalogue.
    Catalogue(#[schemars(schema_with = "schema::version")] String),
    /// A version of one's own.
    Own(OwnVersion),
}

/// A version of one's own: like one of the catalogue, with other facts or another image. It is how a change of the
/// appliance itself is rehearsed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OwnVersion {
    /// The version of the catalogue it is like.
    #[schemars(schema_with = "schema::version")]
    pub like: String,
    /// Its own number, where the order of versions matters; that of `like` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::own_number")]
    pub version: Option<String>,
    /// The facts in which it differs.
    #[serde(default)]
    #[schemars(schema_with = "schema::facts")]
    pub with: BTreeMap<String, FactValue>,
    /// The image that stands for it in the docker world; that of `like` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::image")]
    pub image: Option<String>,
}

/// A version with everything that is known about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductVersion {
    /// How it is called in reports: `v0.1.10`, or `v0.1.11 (like v0.1.10)`.
    pub name: String,
    /// Its place in the order of versions.
    pub number: VersionNumber,
    /// How it behaves.
    pub facts: VersionFacts,
    /// The image that stands for it in the docker world.
    pub image: String,
}

impl VersionChoice {
    /// Looks the version up and applies what the scenario changes.
    ///
    /// # Panics
    ///
    /// When the choice was not made by [`crate::parse`] and names what the catalogue does not have.
    pub fn resolve(&self, system: &System) -> ProductVersion {
        let known = "the decoder let only versions and facts of the catalogue pass";
        match self {
            Self::Catalogue(name) => {
                let version = system.version(name).expect(known);
                ProductVersion {
                    name: name.clone(),
                    number: version.number,
                    facts: version.facts.clone(),
                    image: version.image.to_owned(),
                }
            }
            Self::Own(own) => {
                let like = system.version(&own.like).expect(known);
                let mut facts = like.facts.clone();
                for (name, value) in &own.with {
                    facts.set(name, value).expect(known);
                }
                ProductVersion {
                    name: self.to_string(),
                    number: own.version.as_ref().map_or(like.number, |number| number.parse().expect(known)),
                    facts,
                    image: own.image.clone().unwrap_or_else(|| like.image.to_owned()),
                }
            }
        }
    }
}

impl fmt::Display for VersionChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Catalogue(name) => f.write_str(name),
            Self::Own(OwnVersion { like, version: Some(version), .. }) => write!(f, "{version} (like {like})"),
            Self::Own(OwnVersion { like, version: None, .. }) => write!(f, "own version like {like}"),
        }
    }
}
