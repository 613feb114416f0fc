//! Calls over the network: HTTP with TLS, and shells through the `ssh` program.

use std::collections::BTreeMap;
use std::process::Stdio;

use grenadier_carriers::TcpClient;
use grenadier_events::Actor;
use grenadier_wire::{Answer, Answerer, Answering, Exchange, Failure, HttpExchange, ShellExchange, ShellOutput};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::askpass::{ASKPASS, PASSWORD};

/// What `ssh` exits with when it could not log in (ssh(1), EXIT STATUS); a command that itself exits with 255 looks the same.
const SSH_FAILED: i32 = 255;

/// Makes calls itself. Names are resolved anew for each call.
#[derive(Clone, Debug, Default)]
pub struct Direct {
    /// Options for `ssh`, in the form of its `-o`: `UserKnownHostsFile=/etc/grenadier/known_hosts`.
    pub ssh_options: Vec<String>,
}

impl Answerer for Direct {
    fn answer(&self, _actor: Actor, exchange: Exchange) -> Answering {
        let options = self.ssh_options.clone();
        Box::pin(async move {
            match exchange {
                Exchange::Http(exchange) => http(exchange).await,
                Exchange::Shell(exchange) => shell(exchange, &options).await,
            }
        })
    }
}

async fn http(http: HttpExchange) -> Result<Answer, Failure> {
    let endpoint = http.endpoint.clone();
    let unreachable = || Failure::Unreachable { endpoint: endpoint.clone() };
    let mut addresses = tokio::net::lookup_host(&endpoint).await.map_err(|_| unreachable())?;
    let address = addresses.next().ok_or_else(unreachable)?;
    TcpClient::new(BTreeMap::from([(endpoint.clone(), address)])).send(http).await.map(Into::into)
}

/// Runs a command by `ssh`. Neither password nor input is on its command line.
async fn shell(shell: ShellExchange, options: &[String]) -> Result<Answer, Failure> {
    let endpoint = shell.host.clone();
    let lost = || Failure::ConnectionLost { endpoint: endpoint.clone() };
    let mut command = Command::new("ssh");
    let patience = format!("ConnectTimeout={}", shell.timeout.as_secs().max(1));
    for option in options.iter().chain([&patience]) {
        command.args(["-o", option]);
    }
    match &shell.password {
        // `ssh` asks the program for the password; the program is this one.
        Some(password) => {
            let program = std::env::current_exe().map_err(|_| lost())?;
            command.env("SSH_ASKPASS", program).env("SSH_ASKPASS_REQUIRE", "force").env(ASKPASS, "1");
            command.env(PASSWORD, password.reveal()).args(["-o", "NumberOfPasswordPrompts=1"]);
        }
        None => {
            command.args(["-o", "BatchMode=yes"]);
        }
    }
    command.args(["-l", &shell.user, "--", &shell.host, &shell.command]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|_| Failure::Unreachable { endpoint: endpoint.clone() })?;
    let mut stdin = child.stdin.take().ok_or_else(lost)?;
    let feed = async {
        // A command that does not read its input has no use for it.
        let _unread = stdin.write_all(&shell.stdin).await;
        drop(stdin);
    };
    let ((), output) = futures_util::future::join(feed, child.wait_with_output()).await;
    let output = output.map_err(|_| lost())?;
    match output.status.code() {
        Some(SSH_FAILED) => Err(Failure::Unreachable { endpoint: endpoint.clone() }),
        None => Err(lost()),
        Some(exit_code) => {
            Ok(ShellOutput { exit_code, stdout: output.stdout.into(), stderr: output.stderr.into() }.into())
        }
    }
}
