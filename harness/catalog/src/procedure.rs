//! Procedures and their steps.

/// An upgrade that the built-in engine can perform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Procedure {
    /// Name in scenario files: `hardened`.
    pub name: &'static str,
    /// One line of documentation.
    pub doc: &'static str,
    /// Its steps, in the order in which they are performed.
    pub steps: &'static [Step],
}

/// One step of a procedure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Name in scenario files, call addresses and reports.
    pub name: &'static str,
    /// One line of documentation.
    pub doc: &'static str,
    /// Whether the step changes the world: those before the first such step only look.
    pub changes: bool,
    /// Whether undoing is impossible once the step has been performed.
    pub irreversible: bool,
}

impl Procedure {
    /// The step with this name.
    pub fn step(&self, name: &str) -> Option<&'static Step> {
        self.steps.iter().find(|step| step.name == name)
    }
}
