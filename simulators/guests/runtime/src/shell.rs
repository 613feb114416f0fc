//! The little shell of guests without a real one.
//!
//! It knows quoting, one command, and a redirection of standard input or output to a file; guests add their own programs
//! (`systemctl`, `journalctl`). What it does not know exits 127 and says so, as a shell does.

use bytes::Bytes;
use grenadier_wire::{ShellExchange, ShellOutput};

use crate::Host;

/// A parsed command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandLine {
    /// The program and its arguments.
    pub words: Vec<String>,
    /// `> FILE`.
    pub output: Option<String>,
    /// `< FILE`.
    pub input: Option<String>,
}

/// Splits a command line. An unclosed quote or a dangling redirection is an error.
///
/// ```
/// let line = grenadier_guest::shell::parse("cat '/etc/a b' > /tmp/out").unwrap();
/// assert_eq!((line.words, line.output), (vec!["cat".into(), "/etc/a b".into()], Some("/tmp/out".into())));
/// ```
pub fn parse(text: &str) -> Result<CommandLine, String> {
    let mut line = CommandLine::default();
    let mut redirect = None;
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = text.chars().peekable();
    let mut finish = |word: &mut Option<String>, redirect: &mut Option<char>| {
        let Some(word) = word.take() else { return };
        match redirect.take() {
            Some('>') => line.output = Some(word),
            Some(_) => line.input = Some(word),
            None => line.words.push(word),
        }
    };
    while let Some(char) = chars.next() {
        match (quote, char) {
            (Some(open), _) if char == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(char);
                word.get_or_insert_default();
            }
            (Some('"') | None, '\\') => word.get_or_insert_default().extend(chars.next()),
            (None, '>' | '<') => {
                finish(&mut word, &mut redirect);
                redirect = Some(char);
            }
            (None, '|' | '&' | ';' | '`' | '$') => return Err(format!("`{char}` is not supported")),
            (None, _) if char.is_whitespace() => finish(&mut word, &mut redirect),
            _ => word.get_or_insert_default().push(char),
        }
    }
    if quote.is_some() {
        return Err("unexpected EOF while looking for matching quote".to_owned());
    }
    finish(&mut word, &mut redirect);
    if redirect.is_some() { Err("syntax error: redirection without a file".to_owned()) } else { Ok(line) }
}

/// A failed command: exit code and a message on standard error.
pub fn failed(exit_code: i32, message: impl AsRef<str>) -> ShellOutput {
    ShellOutput { exit_code, stderr: format!("{}\n", message.as_ref()).into(), ..ShellOutput::default() }
}

/// A command that printed `text` and exited 0.
pub fn printed(text: impl Into<Bytes>) -> ShellOutput {
    ShellOutput { stdout: text.into(), ..ShellOutput::default() }
}

/// Runs a command line: first the guest's own programs, then the common ones (`cat`, `tee`, `rm`, `ls`, `test`, `true`,
/// `false`, `echo`, `hostname`, `sha256sum`).
pub fn run(
    command: &ShellExchange,
    host: &mut dyn Host,
    program: impl FnOnce(&[String], &Bytes, &mut dyn Host) -> Option<ShellOutput>,
) -> ShellOutput {
    let line = match parse(&command.command) {
        Ok(line) if line.words.is_empty() => return ShellOutput::default(),
        Ok(line) => line,
        Err(error) => return failed(2, format!("sh: {error}")),
    };
    let stdin = match &line.input {
        None => command.stdin.clone(),
        Some(path) => match host.read(path) {
            Some(content) => content,
            None => return failed(1, format!("sh: cannot open {path}: No such file")),
        },
    };
    let mut output = program(&line.words, &stdin, host)
        .or_else(|| common(&line.words, &stdin, host))
        .unwrap_or_else(|| failed(127, format!("sh: {}: not found", line.words[0])));
    if let Some(path) = line.output
        && let Err(error) = host.write(&path, std::mem::take(&mut output.stdout))
    {
        return failed(1, format!("sh: {path}: {error}"));
    }
    output
}

fn common(words: &[String], stdin: &Bytes, host: &mut dyn Host) -> Option<ShellOutput> {
    let arguments = &words[1..];
    let no_file = |path: &str| failed(1, format!("{}: {path}: No such file or directory", words[0]));
    Some(match words[0].as_str() {
        "true" => ShellOutput::default(),
        "false" => ShellOutput { exit_code: 1, ..ShellOutput::default() },
        "echo" => printed(format!("{}\n", arguments.join(" "))),
        "hostname" => printed(format!("{}\n", host.machine())),
        "cat" if arguments.is_empty() => printed(stdin.clone()),
        "cat" => {
            let mut all = Vec::new();
            for path in arguments {
                match host.read(path) {
                    Some(content) => all.extend_from_slice(&content),
                    None => return Some(no_file(path)),
                }
            }
            printed(all)
        }
        "tee" => {
            for path in arguments {
                if let Err(error) = host.write(path, stdin.clone()) {
                    return Some(failed(1, format!("tee: {path}: {error}")));
                }
            }
            printed(stdin.clone())
        }
        "rm" => {
            let force = arguments.iter().any(|argument| argument == "-f");
            for path in arguments.iter().filter(|argument| !argument.starts_with('-')) {
                if !host.remove(path) && !force {
                    return Some(no_file(path));
                }
            }
            ShellOutput::default()
        }
        "ls" => printed(arguments.iter().flat_map(|path| host.list(path)).map(|path| path + "\n").collect::<String>()),
        "test" => match arguments {
            [flag, path] if flag == "-f" || flag == "-e" => {
                ShellOutput { exit_code: i32::from(host.read(path).is_none()), ..ShellOutput::default() }
            }
            _ => failed(2, "test: only -f FILE and -e FILE are supported"),
        },
        "sha256sum" => {
            let mut text = String::new();
            for path in arguments {
                let Some(content) = host.read(path) else { return Some(no_file(path)) };
                text.push_str(&format!("{}  {path}\n", grenadier_fleet::sha256_hex(&content)));
            }
            printed(text)
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::testing::TestHost;

    fn sh(host: &mut TestHost, command: &str, stdin: &str) -> (i32, String, String) {
        let command = ShellExchange {
            host: "198.18.0.1".into(),
            user: "root".into(),
            password: None,
            command: command.into(),
            stdin: stdin.to_owned().into(),
            timeout: Duration::from_secs(10),
        };
        let output = run(&command, host, |_, _, _| None);
        let text = |bytes: Bytes| String::from_utf8(bytes.to_vec()).unwrap();
        (output.exit_code, text(output.stdout), text(output.stderr))
    }

    #[test]
    fn files_go_in_and_come_out() {
        let host = &mut TestHost::default();
        assert_eq!(sh(host, "cat > '/etc/a b'", "one\n").0, 0);
        assert_eq!(sh(host, r"cat /etc/a\ b", ""), (0, "one\n".into(), String::new()));
        assert_eq!(sh(host, "test -f '/etc/a b'", "").0, 0);
        assert_eq!(sh(host, "rm '/etc/a b'", "").0, 0);
        assert_eq!(sh(host, "cat '/etc/a b'", "").0, 1);
    }

    #[test]
    fn what_it_does_not_know_it_says() {
        let host = &mut TestHost::default();
        assert_eq!(sh(host, "frobnicate", "").0, 127);
        assert_eq!(sh(host, "cat /a | wc", "").0, 2);
        assert_eq!(sh(host, "cat 'open", "").0, 2);
    }
}
