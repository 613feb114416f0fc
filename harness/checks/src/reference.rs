//! What an undisturbed run came to: disturbed ones are compared with it.

use std::collections::BTreeMap;

use grenadier_catalog::Outcome;
use grenadier_events::{Event, Kind};

use crate::{Capture, Node, Verb, Verdict};

/// How often each machine was made and destroyed, and each snapshot taken and removed, before everything was taken down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes(pub BTreeMap<String, (u32, u32)>);

impl Changes {
    /// Those that `events` tell of, from the start of phase `upgrade` to that of phase `destroy`.
    pub fn of(events: &[Event]) -> Changes {
        let mut changes = Changes::default();
        let mut upgrading = false;
        for event in events {
            let (name, made) = match &event.kind {
                Kind::PhaseStarted { phase } if phase == "upgrade" => {
                    upgrading = true;
                    continue;
                }
                Kind::PhaseStarted { phase } if phase == "destroy" => break,
                Kind::MachineCreated { machine } => (machine.clone(), true),
                Kind::MachineDestroyed { machine } => (machine.clone(), false),
                Kind::Snapshot { machine, snapshot, action } if action == "created" => {
                    (format!("{machine}/{snapshot}"), true)
                }
                Kind::Snapshot { machine, snapshot, action } if action == "removed" => {
                    (format!("{machine}/{snapshot}"), false)
                }
                _ => continue,
            };
            if upgrading {
                let counts = changes.0.entry(name).or_default();
                if made { counts.0 += 1 } else { counts.1 += 1 }
            }
        }
        changes
    }
}

/// What an undisturbed run of a scenario came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reference {
    /// How its upgrade ended, as the engine claimed.
    pub upgraded: Option<Outcome>,
    /// How it ended in the end: after a rollback, where there was one.
    pub ended: Option<Outcome>,
    /// The state after the upgrade.
    pub after_upgrade: Option<Node>,
    /// The state at the end.
    pub at_end: Option<Node>,
    /// What was made and destroyed.
    pub changes: Changes,
}

impl Reference {
    /// What the run with these events, captures and verdict came to.
    pub fn new(events: &[Event], captures: &[Capture], verdict: &Verdict) -> Reference {
        let state = |name: &str| captures.iter().find(|capture| capture.name == name).map(|it| it.root.clone());
        let upgrade = verdict.engine.iter().rfind(|line| line.verb != Verb::Rollback);
        Reference {
            upgraded: upgrade.and_then(|line| line.outcome),
            ended: verdict.engine.last().and_then(|line| line.outcome),
            after_upgrade: state("upgraded"),
            at_end: state("end"),
            changes: Changes::of(events),
        }
    }
}
