//! The schema and the decoder are two descriptions of one document; here they judge the same documents.

use std::sync::LazyLock;

use jsonschema::Validator;

use crate::{embedded, parse, schema, yaml};

static VALIDATOR: LazyLock<Validator> =
    LazyLock::new(|| jsonschema::draft202012::new(&schema()).expect("the schema is a schema"));

const SOUND: &str = "\
name: one-swap
description: one line
labels: [base, nightly]
system: haproxy-appliance
from: {like: v0.1.10, version: v0.1.9, with: {haproxy: 2.4.0, regenerates-certificates: true, reload-delay: 10s}, image: my/image:tag}
to: v0.2.0
topology:
  vsphere: 7.0.1
  vsphere-after: 7.0.3
  networks: frontend
  service-ranges: [frontend+16/28]
  host: {cpus: 16, memory: 32GiB, disk: 500GiB}
target: {networks: frontend, service-ranges: [frontend+32/28]}
given:
  - appliance: powered-off
  - privilege-missing: VApp.Import
  - file-missing: /etc/haproxy/server.key
  - customisation: {file: /etc/haproxy/haproxy.cfg, line: '    maxconn 50000', section: global}
  - service-range: frontend+48/28
  - route-rule-duplicated: workload
  - link-route-left: frontend
  - api-stopped: 15m
  - upgraded-from: v0.1.8
create:
  - load-balancer: {name: shop, vip: frontend+20, port: 443, backends: 3, cluster: supervisor, by-hand: false}
workload:
  - probe: {target: shop, kind: http-new, every: 10ms}
engine: {procedure: hardened, remove-old: false, after-crash: rollback}
rollback: always
faults:
  - at: power-on-new/vsphere.PowerOnVM_Task#1
    do: task-fails
  - {at: verify-services, do: partition, machine: new-appliance, for: 60s}
  - {at: deploy-new, do: crash-after, then: resume}
events:
  - power-on: {machine: old-appliance, after: verify-services}
  - upgrade-vcenter: {to: 7.0.2, after: deploy-new}
  - reboot: {machine: new-appliance, after: verify-routes}
  - bind-range: {range: frontend+48/28, after: power-off-old}
  - transaction: {cluster: tenant-1, after: read-appliance, committed-after: reapply-customisations}
  - second-engine: {after: copy-certificates}
expect:
  outcome: refused
  refused-by: vsphere-needs-v0.1.9
  outage: {at-most: 90s}
  restored: true
  residuals: [new-appliance-powered-off]
  caught-by: [unique-address-owner]
field:
  source: {issue: 'vmware-haproxy #36', document: docs/upgrade.md}
  symptoms: ['409']
  ends:
    hardened:
      outcome: refused
      refused-by: vsphere-needs-v0.1.9
      restored: true
      residuals: [new-appliance-powered-off]
      caught-by: [unique-address-owner]
    documented: {outcome: stuck, instead-of: upgraded, caught-by: [outcome]}
require: all
timing: {profile: reference, jitter: 5%}
horizon: 10m
seed: 1
";

/// Replacements that spoil the shape of the sound document; both descriptions must refuse each.
const BAD_SHAPES: &[(&str, &str)] = &[
    ("name: one-swap", "name: One Swap"),
    ("name: one-swap", "name: 7"),
    ("description: one line", "description: [one, line]"),
    ("description: one line", "description:"),
    ("description: one line", "description: |\n  two\n  lines"),
    ("[base, nightly]", "base"),
    ("[base, nightly]", "[Base]"),
    ("[base, nightly]", "[7]"),
    ("[base, nightly]", "[base, base]"),
    ("system: haproxy-appliance", "system: haproxy"),
    ("system: haproxy-appliance\n", ""),
    ("to: v0.2.0", "to: v0.3.0"),
    ("to: v0.2.0", "to: 2"),
    ("to: v0.2.0", "to: {}"),
    ("to: v0.2.0", "tu: v0.2.0"),
    ("{like: v0.1.10,", "{like: v0.1.11,"),
    ("version: v0.1.9", "version: new"),
    ("haproxy: 2.4.0", "haproxy: 2.4"),
    ("haproxy: 2.4.0", "haproxi: 2.4.0"),
    ("regenerates-certificates: true", "regenerates-certificates: yes"),
    ("reload-delay: 10s", "reload-delay: 10"),
    ("image: my/image:tag", "image: my image"),
    ("vsphere: 7.0.1\n", "vsphere: 7.0\n"),
    ("vsphere: 7.0.1\n", "vsphere: v7.0.1\n"),
    ("vsphere-after: 7.0.3", "vsphere-after: 9.9.9"),
    ("vsphere-after: 7.0.3", "vsphere-after:"),
    ("networks: frontend\n", "networks: both\n"),
    ("  networks: frontend\n", ""),
    ("[frontend+16/28]", "frontend+16/28"),
    ("[frontend+16/28]", "[frontend+16]"),
    ("[frontend+16/28]", "[frontend+16/33]"),
    ("[frontend+16/28]", "[]"),
    ("cpus: 16", "cpus: 0"),
    ("cpus: 16", "cpus: many"),
    ("memory: 32GiB", "memory: 32"),
    ("disk: 500GiB", "disk: 500GB"),
    ("{networks: frontend, service-ranges: [frontend+32/28]}", "[]"),
    ("{networks: frontend, service-ranges: [frontend+32/28]}", "{network: frontend}"),
    ("appliance: powered-off", "appliance: off"),
    ("appliance: powered-off", "applianz: powered-off"),
    ("appliance: powered-off", "appliance: powered-off\n    file-missing: /etc/haproxy/server.key"),
    ("VApp.Import", "vapp.import"),
    ("/etc/haproxy/server.key", "/etc/haproxy/server.pem"),
    ("file: /etc/haproxy/haproxy.cfg, ", ""),
    ("/etc/haproxy/haproxy.cfg", "/etc/passwd"),
    ("line: '    maxconn 50000'", "line: ''"),
    ("line: '    maxconn 50000'", "line: \"a\\nb\""),
    (
        "  - load-balancer: {name: shop, vip: frontend+20, port: 443, backends: 3, cluster: supervisor, by-hand: false}\n",
        "  []\n",
    ),
    ("- load-balancer: {", "- loadbalancer: {"),
    ("name: shop", "name: Shop"),
    ("vip: frontend+20", "vip: frontend-20"),
    ("vip: frontend+20", "vip: front+20"),
    ("port: 443", "port: 0"),
    ("port: 443", "port: 65536"),
    ("port: 443", "port: '443'"),
    ("backends: 3", "backends: 0"),
    ("backends: 3", "backends: 33"),
    ("backends: 3", "backends: 3.5"),
    ("cluster: supervisor", "cluster: tenant-9"),
    ("kind: http-new", "kind: icmp"),
    ("kind: http-new, ", ""),
    ("every: 10ms", "every: 10"),
    ("every: 10ms", "every: 10 ms"),
    ("procedure: hardened", "procedure: fast"),
    ("remove-old: false", "remove-old: no"),
    ("rollback: always", "rollback: sometimes"),
    ("rollback: always", "rollback: [always]"),
    ("#1\n", "\n"),
    ("power-on-new/vsphere", "power-on-new/soap"),
    ("do: task-fails", "do: explode"),
    ("    do: task-fails\n", ""),
    ("at: verify-services,", "at: verify services,"),
    ("machine: new-appliance,", "machine: mine,"),
    ("for: 60s", "for: 60"),
    ("then: resume", "then: upgrade"),
    ("after-crash: rollback", "after-crash: upgrade"),
    ("machine: old-appliance", "machine: appliance"),
    ("after: verify-services", "after: the-end"),
    ("to: 7.0.2,", "to: 7,"),
    ("outcome: refused", "outcome: ok"),
    ("refused-by: vsphere-needs-v0.1.9", "refused-by: me"),
    ("{at-most: 90s}", "90s"),
    ("{at-most: 90s}", "{}"),
    ("{at-most: 90s}", "{at-most: 1.s}"),
    ("restored: true", "restored: maybe"),
    ("[new-appliance-powered-off]", "new-appliance-powered-off"),
    ("[unique-address-owner]", "[unique]"),
    ("{issue: 'vmware-haproxy #36', document: docs/upgrade.md}", "{}"),
    ("issue: 'vmware-haproxy #36'", "issue: ''"),
    ("symptoms: ['409']", "symptoms: '409'"),
    ("symptoms: ['409']", "symptoms: [409]"),
    ("{outcome: stuck, instead-of: upgraded, caught-by: [outcome]}", "{}"),
    ("    documented: {", "    dokumented: {"),
    ("outcome: stuck,", "outcome: lost,"),
    ("instead-of: upgraded", "instead-of: better"),
    ("caught-by: [outcome]}", "caught-by: [me]}"),
    ("service-range: frontend+48/28", "service-range: [frontend+48/28]"),
    ("route-rule-duplicated: workload", "route-rule-duplicated: storage"),
    ("link-route-left: frontend", "link-route-left: [frontend]"),
    ("api-stopped: 15m", "api-stopped: 15"),
    ("upgraded-from: v0.1.8", "upgraded-from: v0.1.7"),
    ("upgraded-from: v0.1.8", "upgraded-from: {like: v0.1.8, number: v0.1.7}"),
    ("by-hand: false", "by-hand: maybe"),
    ("- reboot: {machine: new-appliance", "- reboot: {machine: both"),
    ("bind-range: {range: frontend+48/28,", "bind-range: {"),
    ("transaction: {cluster: tenant-1,", "transaction: {cluster: tenant-7,"),
    ("committed-after: reapply-customisations", "committed-after: the-end"),
    ("second-engine: {after: copy-certificates}", "second-engine: {}"),
    ("require: all", "require: some"),
    ("require: all", "require: [everything]"),
    ("profile: reference", "profile: fast"),
    ("profile: reference", "profile: {power-on: fast}"),
    ("profile: reference", "profile: {power: 1s}"),
    ("jitter: 5%", "jitter: 51%"),
    ("jitter: 5%", "jitter: 5"),
    ("horizon: 10m", "horizon: ten minutes"),
    ("horizon: 10m", "horizont: 10m"),
    ("seed: 1", "seed: -1"),
    ("seed: 1", "seed: one"),
];

fn fits_schema(source: &str) -> bool {
    let (tree, findings) = yaml::read(source);
    assert!(findings.is_empty(), "{source}\n{findings:?}");
    VALIDATOR.is_valid(&tree.expect("a document").to_json())
}

#[test]
fn both_take_the_full_document() {
    assert!(fits_schema(SOUND));
    if let Err(problems) = parse(SOUND, "sound.yaml") {
        panic!("{problems}");
    }
}

#[test]
fn both_take_every_embedded_scenario() {
    assert!(embedded().len() >= 13, "{}", embedded().len());
    for scenario in embedded() {
        assert!(fits_schema(scenario.source), "{} does not fit the schema", scenario.path);
        match parse(scenario.source, scenario.path) {
            Ok(parsed) => assert_eq!(parsed.name, scenario.name, "an embedded scenario is called as its file"),
            Err(problems) => panic!("{problems}"),
        }
    }
}

#[test]
fn both_refuse_every_bad_shape() {
    for (from, to) in BAD_SHAPES {
        assert!(SOUND.contains(from), "`{from}` is not in the sound document");
        let source = SOUND.replacen(from, to, 1);
        let decoder_refuses = parse(&source, "bad.yaml").is_err();
        assert!(decoder_refuses, "the decoder takes `{to}` for `{from}`");
        assert!(!fits_schema(&source), "the schema takes `{to}` for `{from}`");
    }
}

#[test]
fn what_is_written_out_reads_back_to_the_same_scenario() {
    for (source, file) in embedded().iter().map(|it| (it.source, it.path)).chain([(SOUND, "sound.yaml")]) {
        let scenario = parse(source, file).unwrap();
        // JSON is YAML, which is how a run's case file is written.
        let written = serde_json::to_string_pretty(&scenario).unwrap();
        assert!(fits_schema(&written), "{written}");
        assert_eq!(parse(&written, "written.json").unwrap(), scenario, "{written}");
    }
}

#[test]
fn every_refusal_rule_has_its_scenario() {
    use grenadier_catalog::{Named as _, Outcome, RefusalRule};
    for rule in RefusalRule::ALL {
        let scenarios = embedded().iter().map(|it| parse(it.source, it.path).unwrap());
        let expecting =
            scenarios.filter(|it| it.expect.refused_by == Some(*rule) && it.expect.outcome == Outcome::Refused);
        assert!(expecting.count() >= 1, "no scenario is refused by {rule}");
    }
}

#[test]
fn the_schema_file_is_the_schema() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/schema.json");
    let current = format!("{}\n", serde_json::to_string_pretty(&schema()).unwrap());
    if std::env::var_os("GRENADIER_WRITE_SCHEMA").is_some() {
        std::fs::write(path, &current).unwrap();
    }
    let file = std::fs::read_to_string(path).unwrap_or_default();
    assert!(file == current, "scenarios/schema.json is stale; run this test once with GRENADIER_WRITE_SCHEMA=1");
}
