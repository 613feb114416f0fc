//! The pipelines that people copy from `ci/`: they hold together, and every command in them and in the docs is one.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command as Process;

use clap::Parser as _;
use serde_json::Value;

use crate::arguments::{Arguments, Command};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The documents of a YAML file.
fn documents(path: &str) -> Vec<Value> {
    let parse = |text: &str| serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{path}: {error}"));
    read(path).split("\n---\n").map(parse).collect()
}

fn document(path: &str) -> Value {
    documents(path).remove(0)
}

/// Every text in a document.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(fields) => fields.values().flat_map(texts).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

/// The lines of scripts that call the program.
fn calls(value: &Value) -> Vec<String> {
    let lines: Vec<String> =
        texts(value).iter().flat_map(|text| text.lines()).map(|line| line.trim().to_owned()).collect();
    let call = |line: &String| line.trim_start_matches("exec ").starts_with("grenadier ");
    lines.into_iter().filter(call).collect()
}

/// What the program is given when a shell runs `line` with these variables.
fn arguments(line: &str, variables: &[(&str, &str)]) -> Vec<String> {
    let place = tempfile::tempdir().unwrap();
    let program = place.path().join("grenadier");
    fs::write(&program, "#!/bin/sh\nprintf '%s\\n' \"$@\"\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", place.path().display(), std::env::var("PATH").unwrap());
    let mut shell = Process::new("sh");
    shell.args(["-euc", line]).env("PATH", path).envs(variables.iter().copied()).current_dir(place.path());
    let output = shell.output().unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

fn parsed(line: &str, variables: &[(&str, &str)]) -> Command {
    let given = arguments(line, variables);
    let all = ["grenadier".to_owned()].into_iter().chain(given);
    Arguments::try_parse_from(all).unwrap_or_else(|error| panic!("{line}\n{error}")).command
}

const EMPTY: &[(&str, &str)] =
    &[("PROFILE", ""), ("BASELINE", ""), ("GRENADIER_PROFILE", ""), ("GRENADIER_BASELINE", "")];
const FULL: &[(&str, &str)] = &[
    ("PROFILE", "a profile.toml"),
    ("BASELINE", "before"),
    ("GRENADIER_PROFILE", "a profile.toml"),
    ("GRENADIER_BASELINE", "before"),
];

fn gate(line: &str) {
    for (variables, profile, baseline) in [(EMPTY, None, None), (FULL, Some("a profile.toml"), Some("before"))] {
        let Command::Gate(gate) = parsed(line, variables) else { panic!("{line} is no gate") };
        assert_eq!(gate.profile.as_deref(), profile.map(Path::new));
        assert_eq!(gate.baseline.as_deref(), baseline.map(Path::new));
        assert_eq!(gate.out, Path::new("grenadier-gate"));
    }
}

#[test]
fn the_workflow_holds_together() {
    let path = "ci/github/grenadier-gate.yml";
    let workflow = document(path);
    let inputs = workflow["on"]["workflow_call"]["inputs"].as_object().expect("it is called by others");
    for (name, input) in inputs {
        assert!(input["description"].is_string() && input["type"].is_string(), "{name}");
        assert!(input["required"] == true || !input["default"].is_null(), "{name}");
    }
    let text = read(path);
    let used: BTreeSet<&str> = text
        .split("inputs.")
        .skip(1)
        .map(|rest| rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').next().unwrap())
        .collect();
    assert_eq!(used, inputs.keys().map(String::as_str).collect());
    let job = &workflow["jobs"]["gate"];
    assert!(job["runs-on"].is_string() && job["timeout-minutes"].is_u64());
    let steps = job["steps"].as_array().unwrap();
    assert!(steps.iter().all(|step| step["uses"].is_string() != step["run"].is_string()), "each step does one thing");
    let ids: BTreeSet<&str> = steps.iter().filter_map(|step| step["id"].as_str()).collect();
    for rest in text.split("steps.").skip(1) {
        let id = rest.split('.').next().unwrap();
        assert!(ids.contains(id), "step {id}");
    }
    // What somebody else wrote is never part of a script: it comes in through the environment.
    assert!(steps.iter().filter_map(|step| step["run"].as_str()).all(|script| !script.contains("${{")));
    let kept = steps.last().unwrap();
    assert_eq!((&kept["if"], &kept["with"]["path"]), (&"always()".into(), &"grenadier-gate".into()));
    let [images, call] = &calls(job)[..] else { panic!("{:?}", calls(job)) };
    assert!(matches!(parsed(images, EMPTY), Command::Images(_)));
    gate(call);
}

#[test]
fn the_lines_of_the_readme_call_the_workflow() {
    let readme = read("README.md");
    let lines = readme.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    assert!(lines.lines().count() <= 5, "{lines}");
    let caller: Value = serde_saphyr::from_str(lines).unwrap();
    let job = &caller["jobs"]["rehearse"];
    assert_eq!(job["uses"], "./.github/workflows/grenadier-gate.yml");
    let workflow = document("ci/github/grenadier-gate.yml");
    let inputs = workflow["on"]["workflow_call"]["inputs"].as_object().unwrap();
    let given = job["with"].as_object().unwrap();
    assert!(given.keys().all(|name| inputs.contains_key(name)), "{given:?}");
    let required = inputs.iter().filter(|(_, input)| input["required"] == true);
    assert!(required.into_iter().all(|(name, _)| given.contains_key(name)));
}

#[test]
fn the_template_for_gitlab_holds_together() {
    let template = document("ci/gitlab/grenadier-gate.yml");
    let (name, job) = template.as_object().unwrap().iter().next().unwrap();
    assert_eq!(name, ".grenadier-gate", "a job that begins with a dot is not run by itself");
    let [call] = &calls(job)[..] else { panic!("{:?}", calls(job)) };
    gate(call);
    assert_eq!(job["artifacts"]["reports"]["junit"], "grenadier-gate/junit.xml");
    assert_eq!(job["artifacts"]["when"], "always");
    let variables = job["variables"].as_object().unwrap();
    for word in call.split('$').skip(1).filter_map(|rest| rest.trim_start_matches('{').split([':', '"']).next()) {
        assert!(variables.contains_key(word), "{word}");
    }
}

#[test]
fn the_shards_of_the_job_are_those_that_are_joined() {
    let all = documents("ci/kubernetes/explore.yaml");
    for part in &all {
        assert!(part["apiVersion"].is_string() && part["metadata"]["name"].is_string(), "{part}");
    }
    let find = |kind: &str, name: &str| {
        let found = all.iter().find(|part| part["kind"] == kind && part["metadata"]["name"] == name);
        found.unwrap_or_else(|| panic!("no {kind} {name}"))
    };
    let settings = &find("ConfigMap", "grenadier-explore")["data"];
    let job = &find("Job", "grenadier-explore")["spec"];
    let shards: u64 = settings["SHARDS"].as_str().unwrap().parse().unwrap();
    assert_eq!(job["completionMode"], "Indexed");
    assert_eq!((job["completions"].as_u64(), job["parallelism"].as_u64()), (Some(shards), Some(shards)));
    let [call] = &calls(job)[..] else { panic!("{:?}", calls(job)) };
    for index in 0..shards {
        let (index, of) = (index.to_string(), shards.to_string());
        let scenario = settings["SCENARIO"].as_str().unwrap();
        let variables = [("JOB_COMPLETION_INDEX", index.as_str()), ("SHARDS", &of), ("SCENARIO", scenario)];
        let Command::Explore(explore) = parsed(call, &variables) else { panic!("{call}") };
        let shard = explore.shard.unwrap();
        assert_eq!((shard.k - 1, shard.n), (index.parse().unwrap(), shards));
        assert_eq!(explore.out.unwrap(), Path::new("/shards").join(&index));
        assert!(grenadier_scenario::load(&explore.chosen.scenario).is_ok());
    }
    let join = &find("Job", "grenadier-merge")["spec"];
    let [call] = &calls(join)[..] else { panic!("{:?}", calls(join)) };
    assert!(matches!(parsed(call, &[]), Command::Merge(_)));
    for spec in [job, join] {
        let pod = &spec["template"]["spec"];
        let claims = pod["volumes"].as_array().unwrap().iter();
        let claims: Vec<&str> =
            claims.map(|volume| volume["persistentVolumeClaim"]["claimName"].as_str().unwrap()).collect();
        claims.into_iter().for_each(|name| _ = find("PersistentVolumeClaim", name));
        let named = |list: &Value| -> BTreeSet<String> {
            list.as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(named(&pod["volumes"]), named(&pod["containers"][0]["volumeMounts"]));
    }
}

#[test]
fn the_commands_in_the_docs_are_accepted() {
    let mut found = 0;
    for path in pages() {
        for line in read(&path).lines().filter_map(|line| line.strip_prefix("$ grenadier ")) {
            let command = line.split(" #").next().unwrap().split(" >").next().unwrap();
            let given = ["grenadier".to_owned()].into_iter().chain(words(command));
            Arguments::try_parse_from(given).unwrap_or_else(|error| panic!("{path}: {line}\n{error}"));
            found += 1;
        }
    }
    assert!(found >= 20, "{found}");
}

#[test]
fn the_links_in_the_docs_lead_somewhere() {
    let mut found = 0;
    for path in pages() {
        let text = read(&path);
        let links = text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link);
        for link in links.filter(|link| !link.contains("://")) {
            let (file, anchor) = link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor)));
            let target = if file.is_empty() { root().join(&path) } else { root().join(&path).with_file_name(file) };
            assert!(target.exists(), "{path}: {link}");
            if let Some(anchor) = anchor {
                let there = anchors(&fs::read_to_string(target).unwrap());
                assert!(there.contains(anchor), "{path}: {link}: there is {there:?}");
            }
            found += 1;
        }
    }
    assert!(found >= 150, "{found}");
}

/// Where links into a page may lead, as GitHub names its headings.
fn anchors(page: &str) -> BTreeSet<String> {
    let headings = page.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let kept = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = kept.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn the_scenarios_in_the_docs_are_without_problems() {
    let mut found = 0;
    for path in pages() {
        for block in read(&path).split("```yaml\n").skip(1).filter(|block| block.starts_with("name:")) {
            let scenario = block.split("```").next().unwrap();
            let problems = grenadier_scenario::parse(scenario, &path).err();
            let problems = problems.map(|problems| problems.render(grenadier_scenario::Style::Plain));
            assert_eq!(problems, None);
            found += 1;
        }
    }
    assert!(found >= 1);
}

/// Every page for people, by its path in the repository.
fn pages() -> Vec<String> {
    let mut pages = vec!["README.md".to_owned()];
    for folder in ["docs", "docs/decisions"] {
        let files = std::fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().file_name());
        let names = files.map(|name| name.into_string().unwrap()).filter(|name| name.ends_with(".md"));
        pages.extend(names.map(|name| format!("{folder}/{name}")));
    }
    pages
}

/// A command's words: what stands between single quotes is one.
fn words(command: &str) -> Vec<String> {
    let parts = command.split('\'').enumerate();
    let words = parts.flat_map(|(at, part)| match at % 2 {
        0 => part.split_whitespace().map(str::to_owned).collect(),
        _ => vec![part.to_owned()],
    });
    words.collect()
}

#[test]
fn every_script_of_a_pipeline_is_one() {
    let mut scripts = vec![read("ci/release")];
    let workflow = document("ci/github/grenadier-gate.yml");
    let steps = workflow["jobs"]["gate"]["steps"].as_array().unwrap();
    scripts.extend(steps.iter().filter_map(|step| step["run"].as_str()).map(str::to_owned));
    let kubernetes = documents("ci/kubernetes/explore.yaml");
    scripts
        .extend(kubernetes.iter().flat_map(|part| texts(&part["spec"]["template"]["spec"]["containers"][0]["args"])));
    assert!(scripts.len() >= 7, "{}", scripts.len());
    for script in scripts {
        let output = Process::new("bash").args(["-n", "-c", &script]).output().unwrap();
        assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
    }
}
