//! `grenadier engine`.

use std::process::ExitCode;

use grenadier_checks::ExitCode as Code;
use grenadier_engine::Verb;
use grenadier_engine_process::{Order, Status, StatusError, Transport, perform};

use crate::arguments::{Engine, EngineStatus, Format, Perform, Wire};
use crate::output::{line, print, report_as};

pub(crate) fn run(arguments: &Engine) -> ExitCode {
    match arguments {
        Engine::Upgrade(order) => call(Verb::Upgrade, order),
        Engine::Resume(order) => call(Verb::Resume, order),
        Engine::Rollback(order) => call(Verb::Rollback, order),
        Engine::Status(order) => status(order).into(),
    }
}

fn call(verb: Verb, arguments: &Perform) -> ExitCode {
    let transport = match arguments.wire {
        Wire::Direct => Transport::Direct,
        Wire::Stdio => Transport::Stdio,
    };
    let result = perform(&Order {
        verb,
        procedure: arguments.procedure.clone(),
        journal: arguments.journal.clone(),
        parameters: arguments.parameters.clone(),
        transport,
        quiet: arguments.quiet.quiet,
    });
    match result {
        Ok(result) => {
            match (transport, arguments.format) {
                // It was told already.
                (Transport::Stdio, _) => {}
                (Transport::Direct, Format::Text) if arguments.quiet.quiet => print(&result.first_line()),
                (Transport::Direct, Format::Text) => print(&result.render()),
                (Transport::Direct, Format::Json) => line(&result.to_json()),
            }
            ExitCode::from(u8::try_from(result.exit_code).unwrap_or(Code::Failed.code()))
        }
        Err(error) => {
            let code = if error.is_input() { Code::Input } else { Code::Environment };
            // The other end of a pipe hears lines of its own; what goes wrong is for people.
            let format = if transport == Transport::Stdio { Format::Text } else { arguments.format };
            report_as(format, code, &error, error.hint().as_deref()).into()
        }
    }
}

fn status(arguments: &EngineStatus) -> Code {
    match Status::read(&arguments.journal) {
        Ok(status) => {
            match arguments.format {
                Format::Text => print(&status.render()),
                Format::Json => line(&serde_json::to_string(&status).expect("a status has string keys")),
            }
            Code::Passed
        }
        Err(error @ StatusError::Missing(_)) => {
            let hint = Some("name the file that the engine was given with --journal");
            report_as(arguments.format, Code::Input, &error, hint)
        }
        Err(error @ StatusError::Journal(_)) => report_as(arguments.format, Code::Environment, &error, None),
    }
}
