//! Running a case.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{Answer, Case, Request, Step, Subject};

/// The configuration of HAProxy on the appliance.
pub(crate) const CONFIG: &str = "/etc/haproxy/haproxy.cfg";

/// How often something is looked for before it is taken for missing: each time [`Subject::pass`] lets some time pass.
const LOOKS: usize = 1200;

/// A case under way.
struct Run<'a> {
    subject: &'a mut dyn Subject,
    kept: BTreeMap<String, String>,
    last: Answer,
}

impl Case {
    /// Runs the case against a subject that is fresh.
    ///
    /// # Errors
    /// What is not as the table says, with the step's number.
    pub fn run(&self, subject: &mut dyn Subject) -> Result<(), String> {
        let kept = [("vip", subject.vip()), ("far", subject.foreign_address())];
        let kept = kept.map(|(name, value)| (name.to_owned(), value)).into();
        let mut run = Run { subject, kept, last: Answer::default() };
        for (number, step) in self.steps.iter().enumerate() {
            run.step(step).map_err(|problem| format!("{}, step {number}, {step:?}: {problem}", self.name))?;
        }
        Ok(())
    }
}

/// What is wrong where something is not as expected.
fn expect(holds: bool, problem: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(problem()) }
}

impl Run<'_> {
    fn step(&mut self, step: &Step) -> Result<(), String> {
        let world = self.subject.world();
        match step {
            Step::Ask(request, status) => {
                let request = self.filled(request)?;
                self.last = self.subject.ask(&request);
                expect(self.last.status == *status, || format!("{:?}", self.last))
            }
            Step::Body(pointer, wanted) => {
                let wanted = self.filled_value(wanted)?;
                expect(self.last.body.pointer(pointer) == Some(&wanted), || format!("{:?}", self.last))
            }
            Step::Message(cell) => {
                let wanted = self.fill(cell.of(world))?;
                expect(self.message().starts_with(&wanted), || format!("{:?}", self.last))
            }
            Step::Mentions(cell) => {
                let wanted = self.fill(cell.of(world))?;
                expect(self.message().contains(&wanted), || format!("{:?}", self.last))
            }
            Step::Header(name, wanted) => {
                let wanted = self.fill(wanted)?;
                expect(self.last.headers.get(*name) == Some(&wanted), || format!("{:?}", self.last))
            }
            Step::NoHeader(name) => expect(!self.last.headers.contains_key(*name), || format!("{:?}", self.last)),
            Step::Keep(pointer, name) => {
                let value = self.last.body.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
                self.keep(name, value)
            }
            Step::KeepHeader(header, name) => {
                let value = self.last.headers.get(*header).cloned();
                self.keep(name, value)
            }
            Step::Equal(one, other) => {
                expect(self.kept.get(*one) == self.kept.get(*other), || format!("{:?}", self.kept))
            }
            Step::KeepFile(path, name) => {
                let content = self.subject.read(path);
                self.keep(name, content)
            }
            Step::FileHolds(path, text) => self.file(path, text, true),
            Step::FileLacks(path, text) => self.file(path, text, false),
            Step::FileIs(path, name) => {
                let content = self.subject.read(path);
                expect(content.as_ref() == self.kept.get(*name), || format!("{content:?}"))
            }
            Step::FileExists(path, wanted) => {
                let path = self.fill(path)?;
                let content = self.subject.read(&path);
                expect(content.is_some() == *wanted, || format!("{content:?}"))
            }
            Step::Write(path, content) => {
                let content = self.fill(content)?;
                self.subject.write(path, &content);
                Ok(())
            }
            Step::Until(request, pointer, wanted) => {
                let request = self.filled(request)?;
                self.wait(|subject| {
                    let answer = subject.ask(&request);
                    if answer.body.pointer(pointer) == Some(wanted) { Ok(()) } else { Err(format!("{answer:?}")) }
                })
            }
            Step::Serves(frontend, servers) => {
                let vip = self.kept["vip"].clone();
                self.wait(|subject| {
                    let state = subject.state()["haproxy"].take();
                    let routes = state["routes"].as_array().into_iter().flatten();
                    let mut of_it = routes.filter(|route| route["frontend"] == *frontend && route["address"] == *vip);
                    let found = of_it.next().map(|route| route["servers"].as_array().map_or(0, Vec::len));
                    if state["running"] == true && found == *servers { Ok(()) } else { Err(state.to_string()) }
                })
            }
            Step::Loaded => {
                self.wait(|subject| if loaded(subject) { Ok(()) } else { Err(subject.state().to_string()) })
            }
            Step::NotLoaded => {
                expect(!loaded(self.subject), || "the running HAProxy has the file's content".to_owned())
            }
            Step::Systemctl(verb, service) => {
                self.subject.systemctl(verb, service);
                Ok(())
            }
            Step::Kill { master } => {
                self.subject.kill(*master);
                let up =
                    |state: &Value| state["services"]["haproxy"] == "active" && state["haproxy"]["running"] == true;
                self.wait(|subject| {
                    let state = subject.state();
                    if up(&state) { Ok(()) } else { Err(state.to_string()) }
                })
            }
        }
    }

    /// Looks until something is as it should be.
    fn wait(&mut self, mut look: impl FnMut(&mut dyn Subject) -> Result<(), String>) -> Result<(), String> {
        let mut found = look(self.subject);
        for _ in 0..LOOKS {
            if found.is_ok() {
                break;
            }
            self.subject.pass();
            found = look(self.subject);
        }
        found
    }

    fn keep(&mut self, name: &str, value: Option<String>) -> Result<(), String> {
        let value = value.ok_or_else(|| format!("nothing to keep as {name}: {:?}", self.last))?;
        self.kept.insert(name.to_owned(), value);
        Ok(())
    }

    fn message(&self) -> &str {
        self.last.body["message"].as_str().unwrap_or_default()
    }

    fn file(&mut self, path: &str, text: &str, wanted: bool) -> Result<(), String> {
        let text = self.fill(text)?;
        let content = self.subject.read(path).unwrap_or_default();
        expect(content.contains(&text) == wanted, || content)
    }

    fn filled(&mut self, request: &Request) -> Result<Request, String> {
        let (path, body) = (self.fill(&request.path)?, self.fill(&request.body)?);
        Ok(Request { path, body, ..request.clone() })
    }

    fn filled_value(&mut self, value: &Value) -> Result<Value, String> {
        Ok(match value {
            Value::String(text) if text == "{version}" => self.version()?,
            Value::String(text) => Value::String(self.fill(text)?),
            other => other.clone(),
        })
    }

    /// Puts in what stands for the names in braces. Braces of JSON are followed by a quote or by another brace.
    fn fill(&mut self, text: &str) -> Result<String, String> {
        let mut filled = text.to_owned();
        if filled.contains("{version}") {
            let version = self.version()?;
            filled = filled.replace("{version}", &version.to_string());
        }
        for (name, value) in &self.kept {
            filled = filled.replace(&format!("{{{name}}}"), value);
        }
        Ok(filled)
    }

    /// The present version of the configuration, as clients of generation 2.1 learn it: out of any reading request.
    fn version(&mut self) -> Result<Value, String> {
        let answer = self.subject.ask(&crate::case::request("GET", "/configuration/frontends", ""));
        answer.body.get("_version").cloned().ok_or_else(|| format!("no version: {answer:?}"))
    }
}

/// Whether the running HAProxy has loaded the file as it is now.
fn loaded(subject: &mut dyn Subject) -> bool {
    let content = subject.read(CONFIG).unwrap_or_default();
    subject.state()["haproxy"]["config"] == grenadier_fleet::sha256_hex(content.as_bytes())
}
