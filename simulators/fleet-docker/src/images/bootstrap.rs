//! The minimal system of a suite, built from packages with mmdebstrap.

use super::apt::AptSetup;
use super::recipe::Suite;
use bytes::Bytes;
use futures_util::{Stream, stream};
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, OnceLock};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};

/// What stays out of the images: nobody reads manuals in a rehearsal. Copyright files stay, as their licences ask.
const DPKG_OPTIONS: [&str; 5] = [
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
    "path-exclude=/usr/share/info/*",
    "path-exclude=/usr/share/locale/*",
    "path-exclude=/usr/share/man/*",
];

/// Removes from the tree what says where its packages came from: mirrors and proxies are this machine's business.
const FORGET_SOURCES: &str = "rm -f \"$1\"/etc/apt/sources.list \"$1\"/etc/apt/apt.conf.d/99mmdebstrap";

/// Hooks that come with mmdebstrap and lay `/bin` and `/lib` out as links before anything is unpacked, where the suite wants
/// that. Without them bookworm brings a package to move files with, and 40 MB of Perl for it; bullseye is left as it is.
const MERGED_USR_HOOKS: &str = "/usr/share/mmdebstrap/hooks/maybe-merged-usr";

/// The size of one piece of the archive on its way to the engine, in bytes.
const PIECE: usize = 256 * 1024;

/// Why a bootstrap could not begin.
#[derive(Debug, thiserror::Error)]
pub(super) enum StartError {
    #[error("mmdebstrap is not installed")]
    NotInstalled,
    #[error("start mmdebstrap")]
    Start(#[source] std::io::Error),
}

/// Why a bootstrap that began failed: known once its archive has ended with an error.
pub(super) type Failure = Arc<OnceLock<String>>;

/// Starts building `suite` with `packages` and gives its tree as a tar archive.
///
/// The archive ends with an error unless mmdebstrap reports success, so that an importer never takes half a system for a
/// whole one. Dropping it stops the build.
pub(super) fn bootstrap(
    suite: Suite,
    packages: &[String],
    setup: &AptSetup,
) -> Result<(impl Stream<Item = std::io::Result<Bytes>> + Send + use<>, Failure), StartError> {
    let mut command = Command::new("mmdebstrap");
    command.args(["--variant=minbase", "--format=tar", "--quiet"]);
    command.arg(format!("--include={}", packages.join(",")));
    command.arg("--aptopt=Acquire::Languages \"none\";");
    command.args(setup.options.iter().map(|option| format!("--aptopt={option}")));
    command.args(DPKG_OPTIONS.map(|option| format!("--dpkgopt={option}")));
    command.arg(format!("--customize-hook={FORGET_SOURCES}"));
    if Path::new(MERGED_USR_HOOKS).is_dir() {
        command.arg(format!("--hook-dir={MERGED_USR_HOOKS}"));
    }
    command.args([suite.name(), "-", &setup.archive]);
    // The environment is inherited, proxy variables included; only the language is fixed, for messages that can be read.
    command.env("LC_ALL", "C.UTF-8").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => StartError::NotInstalled,
        _ => StartError::Start(error),
    })?;
    let stdout = child.stdout.take().expect("stdout is piped");
    let stderr = child.stderr.take().expect("stderr is piped");
    let complaints = tokio::spawn(last_lines(stderr));
    let failure = Failure::default();
    let state = Building { build: Build(child), stdout, complaints, failure: Arc::clone(&failure) };
    Ok((stream::try_unfold(Some(state), next_piece), failure))
}

struct Building<R> {
    build: Build,
    stdout: R,
    complaints: tokio::task::JoinHandle<String>,
    failure: Failure,
}

/// The running mmdebstrap. Asked to end rather than killed when dropped: it then unmounts and removes its tree itself.
struct Build(Child);

impl Drop for Build {
    fn drop(&mut self) {
        let running = self.0.id().and_then(|pid| rustix::process::Pid::from_raw(pid.cast_signed()));
        if let Some(pid) = running {
            // It may have ended this very moment; then there is nothing to ask.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
    }
}

type Piece<R> = Option<(Bytes, Option<Building<R>>)>;

/// Gives the next piece of the archive or, at its end, the verdict of mmdebstrap.
async fn next_piece<R: AsyncRead + Unpin>(state: Option<Building<R>>) -> std::io::Result<Piece<R>> {
    let Some(mut state) = state else { return Ok(None) };
    let mut piece = vec![0; PIECE];
    let length = state.stdout.read(&mut piece).await?;
    if length > 0 {
        piece.truncate(length);
        return Ok(Some((piece.into(), Some(state))));
    }
    let status = state.build.0.wait().await?;
    if status.success() {
        return Ok(None);
    }
    let complaints = state.complaints.await.unwrap_or_default();
    let reason = format!("mmdebstrap ended with {status}: {complaints}");
    let error = std::io::Error::other(reason.clone());
    // Set once per build; the stream is not polled again after an error.
    let _ = state.failure.set(reason);
    Err(error)
}

/// How many lines of a tool's complaints an error quotes.
const QUOTED_LINES: usize = 6;

/// Reads a tool's error output to its end and keeps the last lines, on one line.
async fn last_lines(mut from: impl AsyncRead + Unpin) -> String {
    let mut text = Vec::new();
    // What was read before an error is still worth quoting.
    let _ = from.read_to_end(&mut text).await;
    quote(&String::from_utf8_lossy(&text))
}

/// The last lines of an output that say something, joined for an error message.
pub(super) fn quote(output: &str) -> String {
    let lines: Vec<&str> = output.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(QUOTED_LINES)..].join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::TryStreamExt;

    /// A bootstrap of `sh -c script` in place of mmdebstrap.
    async fn archive_of(script: &str) -> (std::io::Result<Vec<Bytes>>, Failure) {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("sh is everywhere");
        let stdout = child.stdout.take().expect("stdout is piped");
        let complaints = tokio::spawn(last_lines(child.stderr.take().expect("stderr is piped")));
        let failure = Failure::default();
        let state = Building { build: Build(child), stdout, complaints, failure: Arc::clone(&failure) };
        (stream::try_unfold(Some(state), next_piece).try_collect().await, failure)
    }

    #[tokio::test]
    async fn an_archive_is_whole_only_if_the_tool_says_so() {
        let (whole, failure) = archive_of("printf archive").await;
        assert_eq!(whole.expect("the tool succeeded").concat(), b"archive");
        assert_eq!(failure.get(), None);

        let (half, failure) = archive_of("printf arch; echo E: no such suite >&2; exit 3").await;
        assert!(half.is_err());
        let reason = failure.get().expect("a failed build says why");
        assert!(reason.contains("exit status: 3") && reason.contains("E: no such suite"), "{reason}");
    }

    #[test]
    fn quotes_are_short() {
        assert_eq!(quote("\n one \n\ntwo\n"), "one; two");
        assert_eq!(quote("1\n2\n3\n4\n5\n6\n7\n8"), "3; 4; 5; 6; 7; 8");
        assert_eq!(quote(""), "");
    }
}
