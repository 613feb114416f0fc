//! A command in the machine's real shell.

use std::process::Stdio;

use grenadier_wire::{Answer, Failure, ShellExchange, ShellOutput};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::Disk;

/// Runs a command line with `sh -c` on a machine with this disk. One that does not end in time is killed.
pub(crate) async fn run(shell: ShellExchange, disk: &Disk) -> Result<Answer, Failure> {
    let deadline = shell.timeout;
    let endpoint = shell.host.clone();
    match tokio::time::timeout(deadline, output_of(shell, disk)).await {
        Ok(Ok(output)) => Ok(output.into()),
        // 126 is what a shell says of a program that is there and cannot be run.
        Ok(Err(error)) => {
            let stderr = format!("sh: {error}\n").into();
            Ok(ShellOutput { exit_code: 126, stderr, ..ShellOutput::default() }.into())
        }
        Err(_) => Err(Failure::TimedOut { endpoint }),
    }
}

async fn output_of(shell: ShellExchange, disk: &Disk) -> std::io::Result<ShellOutput> {
    let mut child = Command::from(disk.command("sh"))
        .args(["-c", &shell.command])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut stdin = child.stdin.take().expect("stdin is piped");
    let feed = async move {
        // A command need not read what it is given; then the pipe breaks, which is nobody's error.
        let _ = stdin.write_all(&shell.stdin).await;
    };
    let ((), output) = tokio::join!(feed, child.wait_with_output());
    let output = output?;
    // A command that was killed has no code; shells say 128 and the signal's number.
    let killed = || std::os::unix::process::ExitStatusExt::signal(&output.status).map_or(-1, |signal| 128 + signal);
    Ok(ShellOutput {
        exit_code: output.status.code().unwrap_or_else(killed),
        stdout: output.stdout.into(),
        stderr: output.stderr.into(),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    async fn sh(command: &str, stdin: &'static str, timeout_ms: u64) -> Result<(i32, String, String), Failure> {
        let shell = ShellExchange {
            host: "198.18.0.1".into(),
            user: "root".into(),
            password: None,
            command: command.into(),
            stdin: stdin.into(),
            timeout: Duration::from_millis(timeout_ms),
        };
        let Answer::Shell(output) = run(shell, &Disk::default()).await? else { panic!("a shell answers as a shell") };
        let text = |bytes: bytes::Bytes| String::from_utf8_lossy(&bytes).into_owned();
        Ok((output.exit_code, text(output.stdout), text(output.stderr)))
    }

    #[tokio::test]
    async fn commands_read_write_and_end() {
        assert_eq!(
            sh("tr a-z A-Z | tr B C; echo no >&2; exit 3", "ab", 9_000).await,
            Ok((3, "AC".into(), "no\n".into()))
        );
        assert_eq!(sh("kill -9 $$", "", 9_000).await, Ok((137, String::new(), String::new())));
        assert_eq!(sh("true", "nobody reads this", 9_000).await.map(|output| output.0), Ok(0));
    }

    #[tokio::test]
    async fn a_command_that_does_not_end_is_given_up() {
        let late = Failure::TimedOut { endpoint: "198.18.0.1".into() };
        assert_eq!(sh("sleep 60", "", 50).await, Err(late));
    }
}
