//! What the master answers on its socket, for itself and for its workers.

use std::io::{Error, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use super::MASTER_SOCKET;

/// How long an answer may take. A master that loads a file answers when it is done, and a load that cannot bind takes 2 s.
const DEADLINE: Duration = Duration::from_secs(8);
/// How often a master that does not listen is tried again: while it executes itself anew nobody does.
const RETRY: Duration = Duration::from_millis(20);

/// Asks the master; a command with `@1` in front is for its present worker.
pub(super) fn ask(command: &str) -> std::io::Result<String> {
    let began = Instant::now();
    loop {
        match ask_once(command, DEADLINE.saturating_sub(began.elapsed())) {
            Err(error) if began.elapsed() < DEADLINE && is_passing(&error) => std::thread::sleep(RETRY),
            answered => return answered,
        }
    }
}

/// Whether an error is one of a master that is about to be back.
fn is_passing(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof
    )
}

fn ask_once(command: &str, deadline: Duration) -> std::io::Result<String> {
    let mut socket = UnixStream::connect(MASTER_SOCKET)?;
    socket.set_read_timeout(Some(deadline.max(RETRY)))?;
    socket.write_all(format!("{command}\n").as_bytes())?;
    let mut answer = Vec::new();
    let mut piece = [0; 16 * 1024];
    // The master keeps the connection for a while; its answer ends with an empty line.
    while !answer.ends_with(b"\n\n") {
        match socket.read(&mut piece)? {
            0 if answer.is_empty() => return Err(ErrorKind::UnexpectedEof.into()),
            0 => break,
            length => answer.extend_from_slice(&piece[..length]),
        }
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// Whether `show proc` has a current worker with no reload behind it. 2.2 has a column more than later versions, the relative
/// process number.
pub(super) fn has_fresh_worker(show_proc: &str) -> bool {
    let mut lines = show_proc.lines();
    let relative = lines.next().is_some_and(|header| header.contains("<relative PID>"));
    let column = if relative { 3 } else { 2 };
    let current = lines.skip_while(|line| *line != "# workers").skip(1).take_while(|line| !line.starts_with('#'));
    current
        .map(|line| line.split_ascii_whitespace().collect::<Vec<_>>())
        .any(|words| words.get(1) == Some(&"worker") && words.get(column) == Some(&"0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    // Recorded with Debian's 2.2.9, 2.6.12 and 3.0.11.
    const LOADED_2_2: &str = "#<PID>          <type>          <relative PID>  <reloads>       <uptime>        <version>      \n\
        1               master          0               1               0d00h00m04s     2.2.9-2+deb11u6\n\
        # workers\n10              worker          1               0               0d00h00m01s     2.2.9-2+deb11u6\n\
        # old workers\n7               worker          [was: 1]        1               0d00h00m04s     2.2.9-2+deb11u6\n# programs\n\n";
    const FAILED_2_2: &str = "#<PID>          <type>          <relative PID>  <reloads>       <uptime>        <version>      \n\
        1               master          0               3               0d00h00m09s     2.2.9-2+deb11u6\n\
        # workers\n# old workers\n10              worker          [was: 1]        2               0d00h00m06s     2.2.9-2+deb11u6\n\
        # programs\n\n";
    const LOADED_2_6: &str = "#<PID>          <type>          <reloads>       <uptime>        <version>      \n\
        1               master          1 [failed: 0]   0d00h00m04s     2.6.12-1+deb12u3\n\
        # workers\n12              worker          0               0d00h00m01s     2.6.12-1+deb12u3\n# programs\n\n";
    const FAILED_2_6: &str = "#<PID>          <type>          <reloads>       <uptime>        <version>      \n\
        1               master          2 [failed: 1]   0d00h00m10s     2.6.12-1+deb12u3\n\
        # workers\n12              worker          1               0d00h00m07s     2.6.12-1+deb12u3\n# programs\n\n";

    const LOADED_3_0: &str = "#<PID>          <type>          <reloads>       <uptime>        <version>      \n\
        1               master          1 [failed: 0]   0d00h00m19s     3.0.11-1+deb13u3\n\
        # workers\n12              worker          0               0d00h00m02s     3.0.11-1+deb13u3\n# programs\n\n";
    const FAILED_3_0: &str = "#<PID>          <type>          <reloads>       <uptime>        <version>      \n\
        1               master          3 [failed: 1]   0d00h00m32s     3.0.11-1+deb13u3\n\
        # workers\n16              worker          1               0d00h00m10s     3.0.11-1+deb13u3\n# programs\n\n";

    #[test]
    fn a_load_succeeded_if_there_is_a_worker_without_reloads() {
        assert!([LOADED_2_2, LOADED_2_6, LOADED_3_0].into_iter().all(has_fresh_worker));
        assert!(![FAILED_2_2, FAILED_2_6, FAILED_3_0].into_iter().any(has_fresh_worker));
        assert!(!has_fresh_worker(""));
    }
}
