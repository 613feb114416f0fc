//! What GitHub shows of a job: annotations beside the files, and the summary of a step.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::text::one_line;

/// How many annotations of a kind GitHub keeps of one step.
pub const MOST_ANNOTATIONS: usize = 10;
/// How much a step's summary may hold, in bytes; GitHub shows nothing of a longer one.
const MOST_SUMMARY_BYTES: usize = 1 << 20;
/// What is kept free below a summary that is cut off, for the line that says so.
const NOTE_BYTES: usize = 200;
/// How much of a message an annotation shows, in characters.
const MOST_MESSAGE_CHARS: usize = 1_000;

/// The job on GitHub this process is part of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Github {
    /// The file that the summary of the step is appended to.
    summary: Option<PathBuf>,
    /// The checkout, which the paths of annotations are relative to.
    workspace: Option<PathBuf>,
}

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The upgrade failed.
    Error,
    /// The environment did, so that nothing is known.
    Warning,
}

/// Something to be shown beside a line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotation {
    /// How bad it is.
    pub level: Level,
    /// The file, as a path from here.
    pub file: String,
    /// Its line, from 1.
    pub line: usize,
    /// What it is about, in a few words.
    pub title: String,
    /// What there is to say.
    pub message: String,
}

impl Github {
    /// The job, where `variable` tells of one as GitHub's runners do: `GITHUB_ACTIONS` is `true`.
    pub fn detect(variable: impl Fn(&str) -> Option<OsString>) -> Option<Github> {
        let path = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        (variable("GITHUB_ACTIONS")? == "true")
            .then(|| Github { summary: path("GITHUB_STEP_SUMMARY"), workspace: path("GITHUB_WORKSPACE") })
    }

    /// The workflow commands that show `annotations`, one a line. Of too many, the last one says how many are left out.
    pub fn annotations(&self, annotations: &[Annotation]) -> String {
        let mut text = String::new();
        let shown = if annotations.len() > MOST_ANNOTATIONS { MOST_ANNOTATIONS - 1 } else { annotations.len() };
        for annotation in &annotations[..shown] {
            self.annotation(&mut text, annotation);
        }
        if let Some(next) = annotations.get(shown) {
            let more = annotations.len() - shown;
            let message = format!("{more} more are in the table of the step's summary and in junit.xml");
            self.annotation(&mut text, &Annotation { title: format!("and {more} more"), message, ..next.clone() });
        }
        text
    }

    fn annotation(&self, text: &mut String, annotation: &Annotation) {
        let Annotation { level, file, line, title, message } = annotation;
        let command = match level {
            Level::Error => "error",
            Level::Warning => "warning",
        };
        let message = crate::text::clean(&crate::text::bounded(message, MOST_MESSAGE_CHARS));
        let (file, title, message) = (property(&self.in_checkout(file)), property(&one_line(title)), data(&message));
        writeln!(text, "::{command} file={file},line={line},title={title}::{message}").expect("a string takes it");
    }

    /// The path from the root of the checkout, where it lies in there.
    fn in_checkout(&self, file: &str) -> String {
        let absolute = std::path::absolute(file).ok();
        let below = absolute.as_deref().zip(self.workspace.as_deref());
        let relative = below.and_then(|(file, workspace)| file.strip_prefix(workspace).ok());
        relative.map_or_else(|| file.to_owned(), |path| path.display().to_string())
    }

    /// Appends `markdown` to the summary of the step, as far as it has room, and says where it is cut off.
    ///
    /// # Errors
    /// The file cannot be written to.
    pub fn summarise(&self, markdown: &str) -> io::Result<()> {
        let Some(path) = &self.summary else { return Ok(()) };
        let there = length(path)?;
        let room = MOST_SUMMARY_BYTES.saturating_sub(there);
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        file.write_all(fitted(markdown, room).as_bytes())
    }
}

fn length(path: &Path) -> io::Result<usize> {
    match fs::metadata(path) {
        Ok(found) => Ok(usize::try_from(found.len()).unwrap_or(usize::MAX)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}

/// As many whole lines as there is room for.
fn fitted(markdown: &str, room: usize) -> String {
    if markdown.len() <= room {
        return markdown.to_owned();
    }
    let mut text = String::new();
    let mut lines = markdown.lines();
    for line in lines.by_ref() {
        if text.len() + line.len() + 1 + NOTE_BYTES > room {
            break;
        }
        text.push_str(line);
        text.push('\n');
    }
    let note = format!("\n… and {} more lines, for which GitHub has no room\n", lines.count() + 1);
    if text.len() + note.len() <= room { text + &note } else { String::new() }
}

/// A message as a workflow command carries it.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a workflow command, in which colons and commas mean something.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// A table in Markdown, of texts from anywhere.
#[derive(Clone, Debug)]
pub struct MarkdownTable(String);

impl MarkdownTable {
    /// A table with these columns.
    pub fn new(columns: &[&str]) -> MarkdownTable {
        let mut table = MarkdownTable(String::new());
        table.row(columns);
        table.0 += &format!("|{}\n", " --- |".repeat(columns.len()));
        table
    }

    /// Adds a row.
    pub fn row(&mut self, cells: &[impl AsRef<str>]) {
        self.0.push('|');
        for cell in cells {
            write!(self.0, " {} |", cell_text(cell.as_ref())).expect("a string takes it");
        }
        self.0.push('\n');
    }

    /// The table.
    pub fn text(&self) -> &str {
        &self.0
    }
}

/// A text that can do no more than be read: in a table, and as Markdown or HTML.
fn cell_text(text: &str) -> String {
    let mut safe = String::new();
    for c in one_line(text).chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '~' => {
                safe.push('\\');
                safe.push(c);
            }
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    fn github(variables: &[(&str, &str)]) -> Option<Github> {
        Github::detect(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into()))
    }

    fn annotation(title: &str, message: &str) -> Annotation {
        let (title, message) = (title.to_owned(), message.to_owned());
        Annotation { level: Level::Error, file: "a,b:c/d.yaml".to_owned(), line: 3, title, message }
    }

    #[test]
    fn only_a_job_on_github_is_one() {
        assert_eq!(github(&[]), None);
        assert_eq!(github(&[("GITHUB_ACTIONS", "1")]), None);
        assert_eq!(github(&[("GITHUB_ACTIONS", "true"), ("GITHUB_STEP_SUMMARY", "")]), Some(Github::default()));
    }

    #[test]
    fn what_means_something_to_the_runner_is_escaped() {
        let text = Github::default().annotations(&[annotation("swap: no, 1%", "100 %\r\nnext: a, b ::error::c")]);
        assert_eq!(
            text,
            "::error file=a%2Cb%3Ac/d.yaml,line=3,title=swap%3A no%2C 1%25::100 %25%0Anext: a, b ::error::c\n"
        );
        let warning = Annotation { level: Level::Warning, ..annotation("a", "b") };
        assert!(Github::default().annotations(&[warning]).starts_with("::warning "));
    }

    #[test]
    fn there_are_ten_at_most_and_the_last_counts_the_rest() {
        let many = vec![annotation("one", "x"); 13];
        let text = Github::default().annotations(&many);
        assert_eq!(text.lines().count(), MOST_ANNOTATIONS);
        assert!(text.ends_with("title=and 4 more::4 more are in the table of the step's summary and in junit.xml\n"));
        assert!(!Github::default().annotations(&many[..10]).contains("more"));
    }

    #[test]
    fn paths_are_those_of_the_checkout() {
        let here = std::env::current_dir().unwrap();
        let workspace = here.parent().unwrap().to_str().unwrap();
        let found = github(&[("GITHUB_ACTIONS", "true"), ("GITHUB_WORKSPACE", workspace)]).unwrap();
        let folder = here.file_name().unwrap().to_str().unwrap();
        assert_eq!(found.in_checkout("x.yaml"), format!("{folder}/x.yaml"));
        assert_eq!(found.in_checkout("/elsewhere/x.yaml"), "/elsewhere/x.yaml");
    }

    #[test]
    fn a_summary_is_appended_as_far_as_there_is_room() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("summary.md");
        let variables = [("GITHUB_ACTIONS", "true"), ("GITHUB_STEP_SUMMARY", path.to_str().unwrap())];
        let found = github(&variables).unwrap();
        found.summarise("first\n").unwrap();
        found.summarise(&"a line of the second\n".repeat(100_000)).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("first\na line of the second\n"));
        assert!(text.ends_with("more lines, for which GitHub has no room\n"));
        assert!(text.len() <= MOST_SUMMARY_BYTES, "{}", text.len());
        assert!(text.len() > MOST_SUMMARY_BYTES - 1000, "{}", text.len());
        found.summarise(&"no room\n".repeat(1000)).unwrap();
        assert!(fs::metadata(&path).unwrap().len() <= MOST_SUMMARY_BYTES as u64);
    }

    #[test]
    fn a_cell_stays_one() {
        let mut table = MarkdownTable::new(&["a", "b"]);
        table.row(&["x|y\n# z", "<script> `c` & [l](u)"]);
        assert_eq!(table.text(), "| a | b |\n| --- | --- |\n| x\\|y # z | &lt;script&gt; \\`c\\` &amp; \\[l\\](u) |\n");
    }
}
