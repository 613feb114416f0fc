//! What a run came to: the last block on the terminal.

use grenadier_catalog::{Check as Name, Named};
use grenadier_checks::{Ladder, TargetOutage, Verdict, Word};
use grenadier_events::{CheckStatus, LadderLevel};
use grenadier_probe::Outage;

use super::style::{Style, widest};
use crate::text::one_line;
use crate::tone::{Tone, check_word, verdict_word};
use crate::words::seen_by;

/// How many lines of evidence a failed check shows; `verdict.json` has them all.
const EVIDENCE_LINES: usize = 8;
/// How many outages of one target are shown.
const OUTAGE_LINES: usize = 6;

/// What the ending needs to know beside the verdict.
#[derive(Clone, Debug, Default)]
pub struct Ending {
    /// Where the run folder was written.
    pub folder: Option<String>,
    /// What to do next, where the caller knows better than [`ending`] does.
    pub next: Option<String>,
}

/// The last block: one line for each check, the outage of each target with the step that caused it, what the engine claimed,
/// the seed, the command that replays it, and in the last line what to do next.
pub fn ending(verdict: &Verdict, with: &Ending, style: Style) -> String {
    let mut page = Page { text: String::new(), style };
    page.line(&style.rule());
    page.checks(verdict);
    page.line("");
    page.outages(verdict);
    page.engine(verdict);
    page.facts(verdict, with);
    page.line(&style.rule());
    page.verdict(verdict, with);
    page.text
}

/// The verdict alone, in one line.
pub fn verdict_line(verdict: &Verdict, style: Style) -> String {
    let (tone, word) = verdict_word(verdict.verdict);
    let (name, about, summary) = (one_line(&verdict.run.scenario), about(verdict), summary(verdict));
    format!("{}  {name}  {about}: {summary}\n", style.paint(tone, word))
}

/// What was run, in a few words.
fn about(verdict: &Verdict) -> String {
    let run = &verdict.run;
    one_line(&format!("{} → {}, {} world, {}", run.base, run.target, run.world.name(), verdict.ended_ns))
}

/// The summary behind the word, which is said already.
fn summary(verdict: &Verdict) -> String {
    one_line(verdict.summary.split_once(": ").map_or(verdict.summary.as_str(), |(_, rest)| rest))
}

struct Page {
    text: String,
    style: Style,
}

impl Page {
    fn line(&mut self, text: &str) {
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }

    /// A line beside a word in the first column.
    fn row(&mut self, tone: Tone, word: &str, text: &str) {
        let word = self.style.word(tone, word);
        self.line(&format!("{word}  {text}"));
    }

    fn checks(&mut self, verdict: &Verdict) {
        let width = widest(verdict.checks.iter().map(|line| line.result.check.name()));
        for line in &verdict.checks {
            let (tone, word) = check_word(line);
            let name = line.result.check.name();
            let message = one_line(&line.result.message);
            let message = if tone == Tone::Quiet { self.style.paint(Tone::Quiet, &message) } else { message };
            self.row(tone, word, &format!("{name:<width$}  {message}"));
            let ladder = line.result.ladder.as_ref();
            if let Some(ladder) = ladder.filter(|_| line.result.applies) {
                let rungs = self.rungs(ladder);
                self.row(Tone::Quiet, "", &format!("{:<width$}  {rungs}", ""));
            }
            // The outages have a block of their own.
            if !line.is_good() && line.result.check != Name::Outage {
                self.evidence(&line.result.evidence, width);
            }
        }
    }

    fn rungs(&self, ladder: &Ladder) -> String {
        let rung = |rung: &grenadier_checks::Rung| {
            let name = rung.name();
            match rung.status {
                CheckStatus::Pass => format!("{name} {}", self.style.paint(Tone::Good, "equal")),
                CheckStatus::Fail if rung.level == LadderLevel::Bytes => {
                    format!("{name} {}", self.style.paint(Tone::Notice, "differs"))
                }
                CheckStatus::Fail => format!("{name} {}", self.style.paint(Tone::Bad, "differs")),
                CheckStatus::NotCovered => format!("{name} {}", self.style.paint(Tone::Quiet, "not covered")),
            }
        };
        ladder.rungs.iter().map(rung).collect::<Vec<_>>().join(" · ")
    }

    fn evidence(&mut self, lines: &[String], width: usize) {
        for line in lines.iter().take(EVIDENCE_LINES) {
            let text = self.style.paint(Tone::Quiet, &format!("│ {}", one_line(line)));
            self.row(Tone::Quiet, "", &format!("{:<width$}  {text}", ""));
        }
        if let Some(more) = lines.len().checked_sub(EVIDENCE_LINES).filter(|more| *more > 0) {
            let text = self.style.paint(Tone::Quiet, &format!("│ … and {more} more in verdict.json"));
            self.row(Tone::Quiet, "", &format!("{:<width$}  {text}", ""));
        }
    }

    fn outages(&mut self, verdict: &Verdict) {
        let mut rows: Vec<[String; 4]> = Vec::new();
        for target in &verdict.targets {
            rows.extend(self.target_rows(target, verdict));
        }
        let width = |column: usize| widest(rows.iter().map(|row| row[column].as_str()));
        let (name, length, cause) = (width(0), width(1), width(2));
        for (place, row) in rows.iter().enumerate() {
            let word = if place == 0 { "outage" } else { "" };
            let reason = self.style.paint(Tone::Quiet, &row[3]);
            let text = format!("{:<name$}  {:>length$}  {:<cause$}  {reason}", row[0], row[1], row[2]);
            self.row(Tone::Strong, word, &text);
        }
    }

    /// `shop`, how long, the step that caused it, the hop that failed.
    fn target_rows(&self, target: &TargetOutage, verdict: &Verdict) -> Vec<[String; 4]> {
        let name = one_line(&target.target);
        if target.watches == 0 {
            return vec![[name, "not watched".into(), String::new(), String::new()]];
        }
        if target.first_up.is_none() {
            return vec![[name, "never up".into(), String::new(), String::new()]];
        }
        if target.outages.is_empty() {
            return vec![[name, "none".into(), String::new(), String::new()]];
        }
        let row = |outage: &Outage| {
            let shown = outage.length(verdict.ended_ns).to_string();
            let reason = one_line(&outage.reason);
            let reason = if outage.to.is_none() { format!("{reason} (to the end)") } else { reason };
            [seen_by(&name, outage.probe.name()), shown, one_line(&outage.cause()), reason]
        };
        let mut rows: Vec<[String; 4]> = target.outages.iter().take(OUTAGE_LINES).map(row).collect();
        if let Some(more) = target.outages.len().checked_sub(OUTAGE_LINES).filter(|more| *more > 0) {
            rows.push([name, format!("and {more} more"), String::new(), String::new()]);
        }
        rows
    }

    fn engine(&mut self, verdict: &Verdict) {
        let claims: Vec<[String; 3]> = verdict
            .engine
            .iter()
            .map(|line| {
                let code = line.exit_code.map_or("did not end".to_owned(), |code| format!("exit {code}"));
                let outcome = line.outcome.map_or("no outcome", Named::name);
                let rule = line.rule.as_deref().map(|rule| format!(" by {}", one_line(rule))).unwrap_or_default();
                let claim = if line.exit_code.is_some() { format!("{code}, {outcome}{rule}") } else { code };
                [line.verb.name().to_owned(), claim, one_line(&line.message)]
            })
            .collect();
        let width = |column: usize| widest(claims.iter().map(|row| row[column].as_str()));
        let (verb, claim) = (width(0), width(1));
        for (place, row) in claims.iter().enumerate() {
            let word = if place == 0 { "engine" } else { "" };
            let message = self.style.paint(Tone::Quiet, &row[2]);
            self.row(Tone::Strong, word, &format!("{:<verb$}  {:<claim$}  {message}", row[0], row[1]));
        }
        // A later call may have done what an earlier one could not: only the last one leaves somebody something to do.
        let Some(advice) = verdict.engine.last().and_then(|line| line.advice.as_ref()) else { return };
        if let Some(left) = &advice.left {
            self.row(Tone::Notice, "left", &one_line(left));
        }
        for (place, next) in advice.next.iter().enumerate() {
            let word = if place == 0 { "next" } else { "" };
            self.row(Tone::Notice, word, &format!("{}. {}", place + 1, one_line(next)));
        }
    }

    fn facts(&mut self, verdict: &Verdict, with: &Ending) {
        for fault in &verdict.not_injectable {
            self.row(Tone::Notice, "no place", &one_line(fault));
        }
        for mask in &verdict.unused_masks {
            self.row(Tone::Notice, "unused mask", &one_line(mask));
        }
        let ladder = verdict.checks.iter().find_map(|line| line.result.ladder.as_ref());
        if let Some(masked) = ladder.and_then(|ladder| ladder.masked.as_ref()) {
            for mask in masked.masks.iter().filter(|mask| mask.fields > 0) {
                let lines = mask.line_prefix.as_ref().map(|prefix| format!(", lines {prefix:?}")).unwrap_or_default();
                let (path, fields, of) = (&mask.path, mask.fields, masked.of);
                let text = format!("{path}{lines}: {fields} of {of} fields. {}", mask.reason);
                self.row(Tone::Quiet, "masked", &one_line(&text));
            }
        }
        if !verdict.assumptions.is_empty() {
            self.row(Tone::Strong, "assumed", &one_line(&verdict.assumptions.join(", ")));
        }
        if let Some(procedure) = &verdict.run.procedure {
            self.row(Tone::Strong, "procedure", &format!("{}, in place of the scenario's own", one_line(procedure)));
        }
        self.row(Tone::Strong, "seed", &verdict.run.seed.to_string());
        self.row(Tone::Strong, "replay", &one_line(&verdict.run.replay));
        if let Some(folder) = &with.folder {
            self.row(Tone::Strong, "folder", &one_line(folder));
        }
    }

    fn verdict(&mut self, verdict: &Verdict, with: &Ending) {
        let (tone, word) = verdict_word(verdict.verdict);
        let name = self.style.paint(Tone::Strong, &one_line(&verdict.run.scenario));
        self.row(tone, word, &format!("{name}  {}", about(verdict)));
        self.row(Tone::Quiet, "", &summary(verdict));
        let next = with.next.clone().unwrap_or_else(|| next(verdict, with));
        self.row(Tone::Strong, "next", &one_line(&next));
    }
}

fn next(verdict: &Verdict, with: &Ending) -> String {
    let replay = &verdict.run.replay;
    match (verdict.verdict, &with.folder) {
        (Word::Passed, Some(folder)) => format!("nothing to do; {folder} explains the run"),
        (Word::Passed, None) => "nothing to do".to_owned(),
        (Word::Failed, _) => format!("replay it: {replay}"),
        (Word::Unfit, _) => format!("mend what is named above, then run it again: {replay}"),
        (Word::Interrupted, _) => format!("run it again: {replay}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn shown(verdict: &Verdict) -> String {
        let with = Ending { folder: Some("target/grenadier/haproxy-appliance-swap".into()), next: None };
        ending(verdict, &with, Style::PLAIN)
    }

    #[test]
    fn a_run_that_passed() {
        insta::assert_snapshot!(shown(&testing::passed()), @r"
        ────────────
                pass  outage                at most 41.447s in the upgrade (api), 13.06s in the rollback (shop); 1m30s allowed
                pass  identity              2 targets and the API's certificate are as they were
                pass  unique-address-owner  1 address or range, with one owner at a time
                pass  outcome               the engine says upgraded and so it is; then rolled-back, and so it is
                pass  restored              equal on every level: the upgrade was rolled back
                                            bytes equal · structure equal · meaning equal · behaviour equal · history equal
                pass  leftovers             nothing is left over
                pass  secrets               every secret is where it belongs
                pass  terminates            the engine ended at 3m07s, the run at 10m00s, its horizon
                pass  routes-equal          1 route of supervisor, before and after
                pass  canary                it answered all the time

              outage  shop     39.76s  power-off-old      machine haproxy is off
                      shop     13.06s  undo power-on-new  machine haproxy-v0.2.0 is off
                      api     41.447s  power-off-old      machine haproxy is off
                      api      13.06s  undo power-on-new  machine haproxy-v0.2.0 is off
                      canary     none
              engine  upgrade   exit 0, upgraded     haproxy-v0.2.0 serves 2 load balancers
                      rollback  exit 0, rolled-back  haproxy serves again
                seed  1
              replay  grenadier run haproxy-appliance-swap --seed 1
              folder  target/grenadier/haproxy-appliance-swap
        ────────────
              PASSED  haproxy-appliance-swap  v0.1.10 → v0.2.0, virtual world, 10m00s
                      all 10 checks
                next  nothing to do; target/grenadier/haproxy-appliance-swap explains the run
        ");
    }

    #[test]
    fn the_verdict_alone_is_one_line() {
        let line = verdict_line(&testing::failed(), Style::PLAIN);
        let want =
            "FAILED  haproxy-appliance-swap  v0.1.10 → v0.2.0, virtual world, 10m00s: outage: api was unreachable for";
        assert!(line.starts_with(want), "{line}");
        assert_eq!(line.matches('\n').count(), 1);
    }

    #[test]
    fn a_run_that_failed() {
        insta::assert_snapshot!(shown(&testing::failed()), @r"
        ────────────
                FAIL  outage                api was unreachable for 41.447s in the upgrade, 40s allowed
                pass  identity              2 targets and the API's certificate are as they were
                pass  unique-address-owner  1 address or range, with one owner at a time
                pass  outcome               the engine says upgraded and so it is; then rolled-back, and so it is
                   –  restored              does not apply: the scenario does not ask for it
                FAIL  leftovers             snapshot haproxy/before-upgrade is left over
                pass  secrets               every secret is where it belongs
                pass  terminates            the engine ended at 3m07s, the run at 10m00s, its horizon
                pass  routes-equal          1 route of supervisor, before and after
                pass  canary                it answered all the time

              outage  shop     39.76s  power-off-old      machine haproxy is off
                      shop     13.06s  undo power-on-new  machine haproxy-v0.2.0 is off
                      api     41.447s  power-off-old      machine haproxy is off
                      api      13.06s  undo power-on-new  machine haproxy-v0.2.0 is off
                      canary     none
              engine  upgrade   exit 0, upgraded     haproxy-v0.2.0 serves 2 load balancers
                      rollback  exit 0, rolled-back  haproxy serves again
             assumed  anyip-answers-garp
                seed  1
              replay  grenadier run haproxy-appliance-swap --seed 1
              folder  target/grenadier/haproxy-appliance-swap
        ────────────
              FAILED  haproxy-appliance-swap  v0.1.10 → v0.2.0, virtual world, 10m00s
                      outage: api was unreachable for 41.447s in the upgrade, 40s allowed (and 1 more)
                next  replay it: grenadier run haproxy-appliance-swap --seed 1
        ");
    }

    #[test]
    fn a_run_whose_environment_was_not_fit() {
        insta::assert_snapshot!(shown(&testing::unfit()), @r"
        ────────────
                pass  outage                at most 41.447s in the upgrade (api), 13.06s in the rollback (shop); 1m30s allowed
                pass  identity              2 targets and the API's certificate are as they were
                pass  unique-address-owner  1 address or range, with one owner at a time
                pass  outcome               the engine says upgraded and so it is; then rolled-back, and so it is
                pass  restored              equal on every level: the upgrade was rolled back
                                            bytes equal · structure equal · meaning equal · behaviour equal · history equal
                pass  leftovers             nothing is left over
                pass  secrets               every secret is where it belongs
                pass  terminates            the engine ended at 3m07s, the run at 10m00s, its horizon
                pass  routes-equal          1 route of supervisor, before and after
                FAIL  canary                canary was down for 750ms from 2m30s, so the environment is not fit: backend canary-1 refuses the connection

              outage  shop     39.76s  power-off-old          machine haproxy is off
                      shop     13.06s  undo power-on-new      machine haproxy-v0.2.0 is off
                      api     41.447s  power-off-old          machine haproxy is off
                      api      13.06s  undo power-on-new      machine haproxy-v0.2.0 is off
                      canary    750ms  phase verify-upgraded  backend canary-1 refuses the connection
              engine  upgrade   exit 0, upgraded     haproxy-v0.2.0 serves 2 load balancers
                      rollback  exit 0, rolled-back  haproxy serves again
                seed  1
              replay  grenadier run haproxy-appliance-swap --seed 1
              folder  target/grenadier/haproxy-appliance-swap
        ────────────
               UNFIT  haproxy-appliance-swap  v0.1.10 → v0.2.0, virtual world, 10m00s
                      canary: canary was down for 750ms from 2m30s, so the environment is not fit: backend canary-1 refuses the connection
                next  mend what is named above, then run it again: grenadier run haproxy-appliance-swap --seed 1
        ");
    }

    #[test]
    fn a_run_that_failed_as_it_should() {
        insta::assert_snapshot!(shown(&testing::caught()), @r"
        ────────────
                pass  outage                at most 41.447s in the upgrade (api), 13.06s in the rollback (shop); 1m30s allowed
                pass  identity              2 targets and the API's certificate are as they were
              caught  unique-address-owner  198.18.2.16/28 on frontend: haproxy and haproxy-v0.2.0 both answer, from 2m23s for 4.25s
                pass  outcome               the engine says upgraded and so it is; then rolled-back, and so it is
                pass  restored              equal on every level: the upgrade was rolled back
                                            bytes equal · structure equal · meaning equal · behaviour equal · history equal
                pass  leftovers             nothing is left over
                pass  secrets               every secret is where it belongs
                pass  terminates            the engine ended at 3m07s, the run at 10m00s, its horizon
                pass  routes-equal          1 route of supervisor, before and after
                pass  canary                it answered all the time

              outage  shop     39.76s  power-off-old      machine haproxy is off
                      shop     13.06s  undo power-on-new  machine haproxy-v0.2.0 is off
                      api     41.447s  power-off-old      machine haproxy is off
                      api      13.06s  undo power-on-new  machine haproxy-v0.2.0 is off
                      canary     none
              engine  upgrade   exit 0, upgraded     haproxy-v0.2.0 serves 2 load balancers
                      rollback  exit 0, rolled-back  haproxy serves again
                seed  1
              replay  grenadier run haproxy-appliance-swap --seed 1
              folder  target/grenadier/haproxy-appliance-swap
        ────────────
              PASSED  haproxy-appliance-swap  v0.1.10 → v0.2.0, virtual world, 10m00s
                      caught by unique-address-owner, as the scenario expects
                next  nothing to do; target/grenadier/haproxy-appliance-swap explains the run
        ");
    }

    #[test]
    fn colours_change_nothing_but_colours() {
        let verdict = testing::failed();
        let painted = ending(&verdict, &Ending::default(), Style::COLOUR);
        assert!(painted.contains("\u{1b}[31;1mFAIL\u{1b}[0m"));
        assert_eq!(crate::text::clean(&painted), ending(&verdict, &Ending::default(), Style::PLAIN));
    }

    #[test]
    fn nothing_a_terminal_would_obey_comes_through() {
        let mut verdict = testing::failed();
        verdict.engine[0].message = "\u{1b}[2J\u{1b}]0;owned\u{7}\r\nsecond line".into();
        verdict.checks[0].result.message = "a\nb\u{9b}2J".into();
        let text = shown(&verdict);
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
    }

    #[test]
    fn the_last_line_says_what_to_do_next() {
        let last = |verdict: &Verdict, with: &Ending| {
            ending(verdict, with, Style::PLAIN).lines().last().unwrap().trim().to_owned()
        };
        let plain = Ending::default();
        assert_eq!(last(&testing::failed(), &plain), "next  replay it: grenadier run haproxy-appliance-swap --seed 1");
        assert!(last(&testing::passed(), &plain).starts_with("next  nothing to do"));
        let own = Ending { next: Some("grenadier run haproxy-appliance-swap --world docker".into()), ..plain };
        assert_eq!(last(&testing::passed(), &own), "next  grenadier run haproxy-appliance-swap --world docker");
    }
}
