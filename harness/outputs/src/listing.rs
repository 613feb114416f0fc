//! The scenarios that come with the product, as a document.

use grenadier_scenario::{Field, Scenario};
use schemars::JsonSchema;
use serde::Serialize;

/// The version of the shape of [`Listing`], written as `v`.
pub(crate) const VERSION: u32 = 1;

/// The scenarios that were asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Listing {
    /// The version of this shape.
    pub v: u32,
    /// The scenarios, in order of name within their folders.
    pub scenarios: Vec<Listed>,
}

/// One scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Listed {
    /// Its name, as other commands take it.
    pub name: String,
    /// The system under upgrade.
    pub system: String,
    /// The version before.
    pub from: String,
    /// The version after.
    pub to: String,
    /// What profiles choose it by.
    pub labels: Vec<String>,
    /// What it shows, in one line.
    pub description: Option<String>,
    /// The failure somebody really had, where it shows one.
    pub field: Option<Field>,
}

impl Listing {
    /// These scenarios.
    pub fn of<'s>(scenarios: impl IntoIterator<Item = &'s Scenario>) -> Listing {
        let listed = |scenario: &Scenario| Listed {
            name: scenario.name.clone(),
            system: scenario.system.clone(),
            from: scenario.from.to_string(),
            to: scenario.to.to_string(),
            labels: scenario.labels.clone(),
            description: scenario.description.clone(),
            field: scenario.field.clone(),
        };
        Listing { v: VERSION, scenarios: scenarios.into_iter().map(listed).collect() }
    }
}
