//! A client for a machine's shell: what SSH would do.

use std::time::Duration;

use bytes::Bytes;
use grenadier_events::Actor;
use grenadier_wire::{Answer, Exchange, Failure, Secret, ShellExchange, ShellOutput, Wire};
use thiserror::Error;

use crate::retry::{Backoff, Certainty};

/// How long an ordinary command may take.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);

/// Whom to log in as, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShellAccess {
    /// The machine's address.
    pub host: String,
    /// The login name.
    pub user: String,
    /// Its password, where it has one.
    pub password: Option<Secret>,
}

/// Why a command did not do what was asked.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ShellError {
    /// The machine gave no answer.
    #[error("`{command}` on {host} got no answer")]
    NoAnswer {
        /// The command line.
        command: String,
        /// The machine's address.
        host: String,
        /// Why.
        #[source]
        source: Failure,
    },
    /// The command ended with another exit code than 0.
    #[error("`{command}` on {host} ended with exit code {exit_code}: {output}")]
    Failed {
        /// The command line.
        command: String,
        /// The machine's address.
        host: String,
        /// Its exit code.
        exit_code: i32,
        /// The last line it wrote to standard error, or else to standard output.
        output: String,
    },
    /// A file holds something else than text.
    #[error("{path} on {host} is no text")]
    NotText {
        /// The path.
        path: String,
        /// The machine's address.
        host: String,
    },
}

/// A client for one machine's shell, for one actor.
///
/// All of its commands may be repeated, so a lost answer is asked for again.
pub struct Shell {
    wire: Wire,
    actor: Actor,
    access: ShellAccess,
}

impl Shell {
    /// A client for the machine that `access` names.
    pub fn new(wire: &Wire, actor: Actor, access: ShellAccess) -> Shell {
        Shell { wire: wire.clone(), actor, access }
    }

    /// Runs a command once and gives what it left, whatever its exit code.
    ///
    /// # Errors
    /// The machine gave no answer.
    pub async fn run_once(&self, command: &str, stdin: Bytes) -> Result<ShellOutput, ShellError> {
        let exchange = Exchange::Shell(ShellExchange {
            host: self.access.host.clone(),
            user: self.access.user.clone(),
            password: self.access.password.clone(),
            command: command.to_owned(),
            stdin,
            timeout: COMMAND_TIMEOUT,
        });
        let no_answer =
            |source| ShellError::NoAnswer { command: command.to_owned(), host: self.access.host.clone(), source };
        match self.wire.call(self.actor, exchange).await {
            Ok(Answer::Shell(output)) => Ok(output),
            Ok(Answer::Http(_)) => Err(no_answer(Failure::ConnectionLost { endpoint: self.access.host.clone() })),
            Err(source) => Err(no_answer(source)),
        }
    }

    /// Runs a command that may be repeated, until the machine answers or is given up.
    ///
    /// # Errors
    /// The machine gave no answer.
    pub async fn run(&self, command: &str, stdin: Bytes) -> Result<ShellOutput, ShellError> {
        let mut attempt = 1;
        loop {
            let error = match self.run_once(command, stdin.clone()).await {
                Ok(output) => return Ok(output),
                Err(error) => error,
            };
            let last =
                matches!(&error, ShellError::NoAnswer { source, .. } if Certainty::of(source) == Certainty::Final);
            let Some(pause) = Backoff::CALL.pause(attempt).filter(|_| !last) else { return Err(error) };
            self.wire.clock().sleep(pause).await;
            attempt += 1;
        }
    }

    /// [`Shell::run`] for a command that must end with exit code 0; gives its standard output.
    ///
    /// # Errors
    /// The machine gave no answer, or the command ended otherwise.
    pub async fn succeed(&self, command: &str, stdin: Bytes) -> Result<Bytes, ShellError> {
        let output = self.run(command, stdin).await?;
        if output.exit_code == 0 { Ok(output.stdout) } else { Err(self.failed(command, &output)) }
    }

    /// The text of a file; none where there is no such file.
    ///
    /// # Errors
    /// The machine gave no answer, or the file is no text.
    pub async fn read(&self, path: &str) -> Result<Option<String>, ShellError> {
        let there = self.run(&format!("test -f {}", quoted(path)), Bytes::new()).await?;
        if there.exit_code != 0 {
            return Ok(None);
        }
        let bytes = self.succeed(&format!("cat {}", quoted(path)), Bytes::new()).await?;
        let text = String::from_utf8(bytes.into());
        text.map(Some).map_err(|_| ShellError::NotText { path: path.to_owned(), host: self.access.host.clone() })
    }

    /// Writes a file as a whole.
    ///
    /// # Errors
    /// The machine gave no answer, or it cannot be written.
    pub async fn write(&self, path: &str, content: impl Into<Bytes>) -> Result<(), ShellError> {
        self.succeed(&format!("cat > {}", quoted(path)), content.into()).await.map(|_| ())
    }

    /// Removes a file, if it is there.
    ///
    /// # Errors
    /// The machine gave no answer, or it cannot be removed.
    pub async fn remove(&self, path: &str) -> Result<(), ShellError> {
        self.succeed(&format!("rm -f {}", quoted(path)), Bytes::new()).await.map(|_| ())
    }

    /// Runs `systemctl VERB SERVICE`.
    ///
    /// # Errors
    /// The machine gave no answer, or systemd did not do it.
    pub async fn systemctl(&self, verb: &str, service: &str) -> Result<(), ShellError> {
        self.succeed(&format!("systemctl {verb} {service}"), Bytes::new()).await.map(|_| ())
    }

    /// What `systemctl is-active SERVICE` says, asked once: `active`, `activating`, `failed` …
    ///
    /// # Errors
    /// The machine gave no answer.
    pub async fn service_state(&self, service: &str) -> Result<String, ShellError> {
        let output = self.run_once(&format!("systemctl is-active {service}"), Bytes::new()).await?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    fn failed(&self, command: &str, output: &ShellOutput) -> ShellError {
        let last = |bytes: &Bytes| {
            let text = String::from_utf8_lossy(bytes);
            text.lines().rev().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned)
        };
        ShellError::Failed {
            command: command.to_owned(),
            host: self.access.host.clone(),
            exit_code: output.exit_code,
            output: last(&output.stderr).or_else(|| last(&output.stdout)).unwrap_or_default(),
        }
    }
}

/// A word as a shell reads it back.
fn quoted(word: &str) -> String {
    let plain = |char: char| char.is_ascii_alphanumeric() || matches!(char, '/' | '.' | '-' | '_');
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    // Inside single quotes nothing but the quote itself is special.
    format!("'{}'", word.replace('\'', r#"'"'"'"#))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn words_survive_the_shell() {
        for (word, want) in [
            ("/etc/haproxy/server.crt", "/etc/haproxy/server.crt"),
            ("/etc/a b", "'/etc/a b'"),
            ("it's", r#"'it'"'"'s'"#),
            ("", "''"),
        ] {
            assert_eq!(quoted(word), want);
        }
    }
}
