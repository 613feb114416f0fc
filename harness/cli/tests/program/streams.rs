//! Terminals, pipes, and pipes that close early.

use std::process::Stdio;

use crate::support::{Place, SWAP, end, text};

const ESCAPE: char = '\u{1b}';

#[test]
fn without_a_terminal_no_escape_code_is_printed() {
    let place = Place::new();
    let broken = place.variant(SWAP, &[("outcome: upgraded", "outcom: upgraded")]);
    for arguments in
        [&["run", SWAP][..], &["run", text(&broken)], &["plan", SWAP], &["list"], &["schema"], &["--help"], &["run"]]
    {
        let output = place.command(arguments).env("TERM", "xterm-256color").env("COLORTERM", "truecolor").output();
        let ended = end(&output.unwrap());
        assert!(!ended.out.contains(ESCAPE) && !ended.err.contains(ESCAPE), "{arguments:?}: {ended:?}");
    }
}

/// On a terminal there are colours, and none with `NO_COLOR` (no-color.org).
#[test]
fn no_color_is_obeyed_on_a_terminal() {
    let place = Place::new();
    let broken = place.variant(SWAP, &[("outcome: upgraded", "outcom: upgraded")]);
    for arguments in [format!("run {SWAP}"), format!("run {}", text(&broken))] {
        let on_terminal = |no_color: Option<&str>| {
            // script(1) gives the program a terminal.
            let program = format!("{} {arguments}", env!("CARGO_BIN_EXE_grenadier"));
            let mut script = std::process::Command::new("script");
            script.args(["-qec", &program, "/dev/null"]).current_dir(place.path()).env("TERM", "xterm-256color");
            script.env_remove("NO_COLOR").envs(no_color.map(|value| ("NO_COLOR", value)));
            script.stdin(Stdio::null()).output().ok().map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
        };
        let (Some(coloured), Some(plain)) = (on_terminal(None), on_terminal(Some("1"))) else {
            println!("not covered: no script(1)");
            return;
        };
        assert!(has_colour(&coloured), "{arguments}: {coloured}");
        assert!(!has_colour(&plain), "{arguments}: {plain}");
    }
}

/// Whether a text sets a foreground or background colour: `ESC [ … m` with 30–49 or 90–107 in it.
fn has_colour(text: &str) -> bool {
    text.split("\u{1b}[").skip(1).any(|rest| {
        let codes = rest.split_once('m').map_or("", |(codes, _)| codes);
        let colours = |code: &str| code.parse::<u8>().is_ok_and(|code| matches!(code, 30..=49 | 90..=107));
        codes.bytes().all(|byte| byte.is_ascii_digit() || byte == b';') && codes.split(';').any(colours)
    })
}

#[test]
fn a_reader_that_went_away_is_no_error() {
    let place = Place::new();
    let broken = place.variant(SWAP, &[("outcome: upgraded", "outcom: upgraded")]);
    for (arguments, code) in [
        (&["run", SWAP, "--no-folder"][..], 0),
        (&["run", SWAP, "--no-folder", "--format", "json"], 0),
        (&["run", text(&broken), "--format", "json"], 2),
        (&["plan", SWAP], 0),
        (&["list"], 0),
        (&["list", "--format", "json"], 0),
        (&["schema"], 0),
        (&["completions", "bash"], 0),
    ] {
        // The reading end is closed before the program starts, so its first line already finds nobody.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ended = end(&place.command(arguments).stdout(writer).stderr(Stdio::piped()).output().unwrap());
        assert_eq!((ended.code, ended.err.as_str()), (code, ""), "{arguments:?}");
    }
    // And where it is standard error that nobody reads.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = place.command(&["run", text(&broken)]).stdout(Stdio::null()).stderr(writer).status().unwrap();
    assert_eq!(status.code(), Some(2));
}
