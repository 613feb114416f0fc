//! The JSON Schema of the document, for editors and foreign tools.
//!
//! It is derived from the typed document. The decoder is written by hand, because it reports every problem at once and
//! with hints; a test feeds both the same documents and has them agree about the shape.

use std::borrow::Cow;

use grenadier_catalog::{FactKind, Named, Networks, System, TimingField, VSPHERE_RELEASES, VersionFacts};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use crate::document::REFERENCE;
use crate::{ByteSize, Jitter, Require, Scenario, SignaturePattern, SymbolicAddress, SymbolicRange};

/// Properties whose default depends on the rest of the document, which a schema cannot say; their descriptions do.
const DEPENDENT_DEFAULTS: &[&str] = &[
    "/properties/workload",
    "/$defs/Topology/properties/service-ranges",
    "/$defs/TargetInputs/properties/networks",
    "/$defs/TargetInputs/properties/service-ranges",
];

/// The JSON Schema (draft 2020-12) of a scenario document.
pub fn schema() -> Value {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Scenario>().to_value();
    for property in DEPENDENT_DEFAULTS {
        let property = schema.pointer_mut(property).and_then(Value::as_object_mut).expect("the property exists");
        property.remove("default").expect("the property has a default");
    }
    schema
}

const DURATION: &str = r"^[0-9]+(\.[0-9]+)?(h|m|s|ms|us|ns)$";
const KEBAB: &str = "^[a-z0-9]+(-[a-z0-9]+)*$";
const OWN_NUMBER: &str = r"^v?[0-9]+\.[0-9]+\.[0-9]+$";

/// Names with their documentation, which editors show beside each.
fn constants<'n>(names: impl IntoIterator<Item = (&'n str, &'n str)>) -> Schema {
    let choices: Vec<Value> = names.into_iter().map(|(name, doc)| json!({"const": name, "description": doc})).collect();
    json_schema!({"type": "string", "oneOf": choices})
}

pub(crate) fn name<T: Named>(_: &mut SchemaGenerator) -> Schema {
    constants(T::ALL.iter().map(|member| (member.name(), member.doc())))
}

pub(crate) fn names<T: Named>(generator: &mut SchemaGenerator) -> Schema {
    let item = name::<T>(generator);
    json_schema!({"type": "array", "items": item})
}

pub(crate) fn system(_: &mut SchemaGenerator) -> Schema {
    constants(System::all().iter().map(|system| (system.name, system.doc)))
}

/// Names that depend on the system: the schema takes those of every system, the decoder knows which one it is.
fn of_systems(names: impl Fn(&'static System) -> Vec<(&'static str, &'static str)>) -> Schema {
    let mut all: Vec<(&str, &str)> = Vec::new();
    for (name, doc) in System::all().iter().flat_map(|system| names(system)) {
        // Procedures share the names of their steps.
        if all.iter().all(|(known, _)| *known != name) {
            all.push((name, doc));
        }
    }
    constants(all)
}

pub(crate) fn version(_: &mut SchemaGenerator) -> Schema {
    of_systems(|system| system.versions.iter().map(|version| (version.name, system.name)).collect())
}

pub(crate) fn procedure(_: &mut SchemaGenerator) -> Schema {
    of_systems(|system| system.procedures.iter().map(|procedure| (procedure.name, procedure.doc)).collect())
}

pub(crate) fn step(_: &mut SchemaGenerator) -> Schema {
    of_systems(|system| {
        system.procedures.iter().flat_map(|procedure| procedure.steps).map(|step| (step.name, step.doc)).collect()
    })
}

pub(crate) fn system_file(_: &mut SchemaGenerator) -> Schema {
    of_systems(|system| system.files.iter().map(|file| (file.path, file.doc)).collect())
}

pub(crate) fn customisable_file(_: &mut SchemaGenerator) -> Schema {
    of_systems(|system| system.customisable_files.iter().map(|path| (*path, "a configuration file")).collect())
}

pub(crate) fn vsphere_release(_: &mut SchemaGenerator) -> Schema {
    let releases: Vec<String> = VSPHERE_RELEASES.iter().map(ToString::to_string).collect();
    json_schema!({"type": "string", "enum": releases})
}

pub(crate) fn own_number(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "pattern": OWN_NUMBER})
}

pub(crate) fn image(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "pattern": r"^\S+$"})
}

pub(crate) fn kebab_name(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "pattern": KEBAB})
}

pub(crate) fn labels(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "array", "items": {"type": "string", "pattern": KEBAB}, "uniqueItems": true})
}

pub(crate) fn one_line(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "pattern": "^[^\n\r]*$"})
}

pub(crate) fn required_line(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "pattern": "^[^\n\r]+$"})
}

pub(crate) fn link(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "pattern": r"^https?://\S+$"})
}

pub(crate) fn duration(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "pattern": DURATION, "examples": ["10ms", "90s", "5m"]})
}

pub(crate) fn percent(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "pattern": "^[1-9][0-9]?%$", "examples": ["20%"]})
}

pub(crate) fn boolean(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "boolean"})
}

pub(crate) fn fault_place(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "string",
        "pattern": r"^[A-Za-z0-9_-]+(/(vsphere\.[A-Za-z0-9_]+|(vsphere|dataplane)\.(GET|POST|PUT|DELETE) /\S*|shell\.[A-Za-z0-9_.-]+)#[0-9]+)?$",
        "examples": ["power-on-new/vsphere.PowerOnVM_Task#1", "power-on-new"],
    })
}

/// Where `Option` would let `null` through, which the decoder does not.
pub(crate) fn target_inputs(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<crate::TargetInputs>()
}

pub(crate) fn field(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<crate::Field>()
}

/// An end for each procedure.
pub(crate) fn ends(generator: &mut SchemaGenerator) -> Schema {
    let end = generator.subschema_for::<crate::End>();
    let procedures: Vec<&str> =
        System::all().iter().flat_map(|system| system.procedures).map(|procedure| procedure.name).collect();
    let properties: Map<String, Value> =
        procedures.iter().map(|name| ((*name).to_owned(), end.clone().to_value())).collect();
    json_schema!({"type": "object", "properties": properties, "additionalProperties": false})
}

pub(crate) fn required_lines(generator: &mut SchemaGenerator) -> Schema {
    let item = required_line(generator);
    json_schema!({"type": "array", "items": item})
}

pub(crate) fn outage_budget(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<crate::OutageBudget>()
}

/// Only for the schema: the decoder takes the topology of the old appliance.
pub(crate) fn default_networks() -> Networks {
    Networks::Default
}

/// The facts of a version that a scenario may change.
pub(crate) fn facts(_: &mut SchemaGenerator) -> Schema {
    let properties: Map<String, Value> = VersionFacts::fields()
        .iter()
        .map(|field| {
            let mut shape = match field.kind {
                FactKind::Bool => json!({"type": "boolean"}),
                FactKind::Version => json!({"type": "string", "pattern": OWN_NUMBER}),
                FactKind::Duration => json!({"type": "string", "pattern": DURATION}),
                FactKind::Name(names) => json!({"type": "string", "enum": names}),
            };
            shape["description"] = json!(field.doc);
            (field.name.to_owned(), shape)
        })
        .collect();
    json_schema!({"type": "object", "properties": properties, "additionalProperties": false})
}

/// The name of the reference, or lengths of one's own.
pub(crate) fn timing_profile(_: &mut SchemaGenerator) -> Schema {
    let length = |field: &TimingField| json!({"type": "string", "pattern": DURATION, "description": field.doc()});
    let properties: Map<String, Value> =
        TimingField::ALL.iter().map(|field| (field.name().to_owned(), length(field))).collect();
    json_schema!({"oneOf": [
        {"const": REFERENCE, "description": "frozen values, so that recorded event logs stay valid"},
        {
            "type": "object",
            "description": "lengths of one's own; what is left out is as in the reference",
            "properties": properties,
            "additionalProperties": false,
        },
    ]})
}

/// Implements [`JsonSchema`] for a type that is written as text of a certain pattern.
macro_rules! text_schema {
    ($type:ty, $name:literal, $doc:literal, $pattern:literal, $example:literal) => {
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({"type": "string", "description": $doc, "pattern": $pattern, "examples": [$example]})
            }
        }
    };
}

text_schema!(
    SymbolicAddress,
    "SymbolicAddress",
    "An address, counted from the base of a segment: each run places the segments anew.",
    r"^(management|workload|frontend)\+[0-9]+$",
    "frontend+20"
);
text_schema!(
    SymbolicRange,
    "SymbolicRange",
    "A range of addresses within a segment.",
    r"^(management|workload|frontend)\+[0-9]+/([0-9]|[12][0-9]|3[0-2])$",
    "frontend+16/28"
);
text_schema!(ByteSize, "ByteSize", "A size with its unit.", r"^[0-9]+(KiB|MiB|GiB|TiB)$", "32GiB");
text_schema!(
    SignaturePattern,
    "SignaturePattern",
    "What a failure of an exploration looks like: check/role/step/fault, with `*` for any run of characters in a part.",
    r"^[A-Za-z0-9+*_.:-]+(/[A-Za-z0-9+*_.:-]+){3}$",
    "leftovers/new-appliance/deploy-new/*"
);
text_schema!(Jitter, "Jitter", "A variation from 0% to 50%.", r"^([0-4]?[0-9]|50)%$", "5%");

impl JsonSchema for Require {
    fn schema_name() -> Cow<'static, str> {
        "Require".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let list = names::<grenadier_catalog::Check>(generator);
        json_schema!({
            "description": "The checks that must have been made: all that apply, or these.",
            "anyOf": [{"const": "all", "description": "every check that applies"}, list],
        })
    }
}
