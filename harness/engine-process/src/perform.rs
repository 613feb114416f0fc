//! Performing a verb.

use std::path::PathBuf;
use std::sync::Arc;

use grenadier_engine::procedures::haproxy_appliance::{Parameters, named};
use grenadier_engine::{Context, Engine, EngineReport, Journal, JournalError, Procedure, Verb};
use grenadier_events::EventLog;
use grenadier_journal_sqlite::SqliteStorage;
use grenadier_wire::Wire;
use thiserror::Error;

use crate::clock::ProcessClock;
use crate::direct::Direct;
use crate::parameters::{ParametersError, ParametersFile};
use crate::piped::{Host, Piped, say};
use crate::progress;
use crate::result::ResultLine;
use crate::wire::FromEngine;

/// The procedures a process can be told to perform.
pub const PROCEDURES: [&str; 2] = ["haproxy-appliance/hardened", "haproxy-appliance/documented"];

/// What a process of the engine is told.
#[derive(Clone, Debug)]
pub struct Order {
    /// What to do.
    pub verb: Verb,
    /// One of [`PROCEDURES`].
    pub procedure: String,
    /// The journal's file. It is made where it is not there.
    pub journal: PathBuf,
    /// The parameters' file.
    pub parameters: PathBuf,
    /// Who makes the calls.
    pub transport: Transport,
    /// Whether nothing is shown while it is at work.
    pub quiet: bool,
}

/// Who makes the calls of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// The process itself, over the network. Progress goes to standard error.
    Direct,
    /// Whoever started it: [`crate::wire`] on standard input and output.
    Stdio,
}

/// A verb could not be begun.
#[derive(Debug, Error)]
pub enum PerformError {
    /// There is no such procedure: the input is wrong.
    #[error("there is no procedure `{0}`")]
    Procedure(String),
    /// The parameters cannot be used: the input is wrong.
    #[error(transparent)]
    Parameters(#[from] ParametersError),
    /// The journal cannot be opened: the environment is not fit.
    #[error("open the journal")]
    Journal(#[from] JournalError),
    /// Whoever made the calls went away: the environment is not fit. What the engine did is in its journal.
    #[error("nobody makes the engine's calls any more")]
    HostGone,
    /// Threads could not be started: the environment is not fit.
    #[error("start the engine")]
    Runtime(#[source] std::io::Error),
}

impl PerformError {
    /// Whether it is what the process was told, and not what it found, that is wrong.
    pub fn is_input(&self) -> bool {
        matches!(self, PerformError::Procedure(_) | PerformError::Parameters(_))
    }

    /// What a person can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            PerformError::Procedure(_) => Some(format!("there is {}", PROCEDURES.join(", "))),
            PerformError::Parameters(error) => Some(error.hint().to_owned()),
            // The journal's own message says what to do.
            PerformError::Journal(_) | PerformError::Runtime(_) => None,
            PerformError::HostGone => Some("the journal says where to go on: `grenadier engine status`".to_owned()),
        }
    }
}

/// Performs a verb, and says how that ended. With [`Transport::Stdio`] the result was told to the other end as well.
///
/// # Errors
/// It could not be begun; nothing was touched.
pub fn perform(order: &Order) -> Result<ResultLine, PerformError> {
    if !PROCEDURES.contains(&order.procedure.as_str()) {
        return Err(PerformError::Procedure(order.procedure.clone()));
    }
    let file = ParametersFile::read(&order.parameters)?;
    let parameters = file.resolve(&order.parameters)?;
    let storage = SqliteStorage::open(&order.journal).map_err(JournalError::from)?;
    let mut journal = Journal::open(Box::new(storage))?;
    let (call, host) = (Call { order, file: &file, parameters }, Host::default());
    let result = match order.transport {
        Transport::Direct => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.map_err(PerformError::Runtime)?.block_on(call.direct(&mut journal))
        }
        Transport::Stdio => host.block_on(call.piped(&host, &mut journal)).ok_or(PerformError::HostGone)?,
    };
    // The other end may start the next process as soon as it hears of the end of this one.
    drop(journal);
    let result = ResultLine::from(result);
    if order.transport == Transport::Stdio {
        say(&FromEngine::Ended(result.clone()));
    }
    Ok(result)
}

struct Call<'a> {
    order: &'a Order,
    file: &'a ParametersFile,
    parameters: Parameters,
}

impl Call<'_> {
    async fn direct(self, journal: &mut Journal) -> EngineReport {
        let log = EventLog::default();
        if !self.order.quiet {
            log.observe(Box::new(progress::show));
        }
        let wire = Wire::new(Vec::new(), Arc::new(ProcessClock::start()), log);
        let calls = Direct { ssh_options: self.file.ssh_options.clone() };
        self.on(wire.connected(Arc::new(calls)), journal).await
    }

    async fn piped(self, host: &Host, journal: &mut Journal) -> EngineReport {
        let log = EventLog::default();
        log.observe(Box::new(progress::tell));
        let wire = Wire::new(Vec::new(), Arc::new(host.clone()), log);
        let calls = Piped { host: host.clone(), names: wire.clone() };
        self.on(wire.connected(Arc::new(calls)), journal).await
    }

    async fn on(self, wire: Wire, journal: &mut Journal) -> EngineReport {
        let name = self.order.procedure.rsplit('/').next().unwrap_or_default();
        let procedure = named(name, wire.clone(), self.parameters).expect("it was looked for among those there are");
        run(self.order.verb, procedure, wire, journal).await
    }
}

async fn run<C: Context>(verb: Verb, mut procedure: Procedure<C>, wire: Wire, journal: &mut Journal) -> EngineReport {
    let engine = Engine::new(wire);
    match verb {
        Verb::Upgrade => engine.upgrade(&mut procedure, journal).await,
        Verb::Resume => engine.resume(&mut procedure, journal).await,
        Verb::Rollback => engine.rollback(&mut procedure, journal).await,
    }
}
