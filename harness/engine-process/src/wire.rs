//! Calls and time from whoever started the process: one JSON message a line, on its standard input and output.
//!
//! The engine asks for everything, its time too, so it has no clock of its own that could run beside its host's. It may have asked
//! for several things, and hears of each when it has come; whenever it can do nothing more until it hears something it says
//! [`FromEngine::Idle`], and between a message to it and that word no time passes for it. Both ends are the same binary, so there
//! is no version to agree on. The engine's last line is its result ([`FromEngine::Ended`]). Where the other end goes away it ends
//! as by a crash: its journal says where to go on.

use grenadier_agent::protocol::{AnswerForm, HttpForm, ShellForm};
use grenadier_clock::Time;
use grenadier_events::StepVerb;
use grenadier_wire::{Exchange, HttpExchange, StepMoment};
use serde::{Deserialize, Serialize};

use crate::result::ResultLine;

/// What the engine says.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "kebab-case")]
pub enum FromEngine {
    /// A verb of a step begins.
    StepStarted {
        /// The step.
        step: String,
        /// Apply, verify or undo.
        verb: StepVerb,
    },
    /// A verb of a step ended.
    StepFinished {
        /// The step.
        step: String,
        /// Apply, verify or undo.
        verb: StepVerb,
        /// Why it failed, where it did.
        error: Option<String>,
    },
    /// A call to be made.
    Call {
        /// To be repeated in the answer.
        id: u64,
        /// The step it belongs to; none between steps.
        step: Option<String>,
        /// The call.
        call: CallForm,
    },
    /// To be woken after a while.
    Sleep {
        /// To be repeated when it is over.
        id: u64,
        /// How long, in nanoseconds.
        length_ns: u64,
    },
    /// How far it is in a step. It goes on when it is told to.
    Moment {
        /// To be repeated then.
        id: u64,
        /// The step.
        step: String,
        /// How far.
        moment: StepMoment,
    },
    /// It can do nothing more until it hears something.
    Idle,
    /// The result. Nothing comes after it.
    Ended(ResultLine),
}

/// What the engine hears.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "kebab-case")]
pub enum ToEngine {
    /// The first message.
    Begin {
        /// The host's time.
        now: Time,
    },
    /// A sleep is over.
    Woken {
        /// The sleep's.
        id: u64,
        /// The host's time.
        now: Time,
    },
    /// It may go on in its step.
    GoOn {
        /// The moment's.
        id: u64,
        /// The host's time.
        now: Time,
    },
    /// What came of a call.
    Answer {
        /// The call's.
        id: u64,
        /// The host's time.
        now: Time,
        /// What came back.
        answer: AnswerForm,
    },
}

/// A call on its way to the one who makes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallForm {
    /// An HTTP request.
    Http(HttpForm),
    /// A shell command.
    Shell(ShellForm),
}

impl From<Exchange> for CallForm {
    fn from(exchange: Exchange) -> CallForm {
        match exchange {
            Exchange::Http(http) => CallForm::Http(http.into()),
            Exchange::Shell(shell) => CallForm::Shell(shell.into()),
        }
    }
}

impl TryFrom<CallForm> for Exchange {
    type Error = String;

    fn try_from(form: CallForm) -> Result<Exchange, String> {
        Ok(match form {
            CallForm::Http(http) => Exchange::Http(HttpExchange::try_from(http)?),
            CallForm::Shell(shell) => Exchange::Shell(shell.into()),
        })
    }
}
