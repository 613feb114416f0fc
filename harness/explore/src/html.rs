//! An exploration on one page, for people.

use std::path::Path;

use grenadier_checks::ExitCode;
use grenadier_report::html::{Page, Section, badge, command, scroller};
use grenadier_report::{Tone, counted};
use maud::{Markup, html as markup};

use crate::coverage::Cell;
use crate::exploration::{Exploration, ExplorationFailure};
use crate::kept;
use crate::tables::{Table, tables};
use crate::text::replay_of;

/// The page of an exploration, as one file. `folder` is where it will be, beside the cases; what has a run of its own there
/// is linked to it.
pub fn html(exploration: &Exploration, folder: &Path) -> String {
    let mut sections = vec![
        Section { id: "coverage", title: "Coverage", body: coverage(exploration) },
        Section { id: "failures", title: "Failures", body: failures(exploration, folder) },
        Section { id: "not-explored", title: "Not explored", body: not_explored(exploration) },
    ];
    if !exploration.known_failures.is_empty() {
        let body = known(exploration);
        sections.insert(2, Section { id: "known", title: "Known failures", body });
    }
    let (tone, word) = verdict(exploration);
    let page = Page {
        title: format!("{} explored, {}", exploration.scenario, word.to_lowercase()),
        what: "Exploration",
        tone,
        first: first_screen(exploration, folder),
        sections,
        data: None,
    };
    page.render()
}

fn verdict(exploration: &Exploration) -> (Tone, &'static str) {
    match exploration.exit_code() {
        ExitCode::Passed => (Tone::Good, "Passed"),
        ExitCode::Interrupted => (Tone::Notice, "Interrupted"),
        ExitCode::Environment => (Tone::Notice, "Unfit"),
        ExitCode::Failed | ExitCode::Input => (Tone::Bad, "Failed"),
    }
}

fn first_screen(exploration: &Exploration, folder: &Path) -> Markup {
    let Exploration { cases, enumerated, failed, seed, .. } = exploration;
    let (tone, word) = verdict(exploration);
    let unknown = exploration.failures.iter().filter(|failure| failure.known.is_none()).count() as u64;
    let known = exploration.failures.len() as u64 - unknown;
    let percent = *cases as f64 * 100.0 / (*enumerated).max(1) as f64;
    let ended: Vec<String> = exploration.ended.iter().map(|(ended, cases)| format!("{cases} {ended}")).collect();
    let what = match (exploration.random, exploration.order) {
        (Some(random), _) => format!("random schedules, drawn from seed {}", random.seed),
        (None, 1) => "every single fault".to_owned(),
        (None, _) => "single faults and pairs".to_owned(),
    };
    markup! {
        p.verdict { (badge(tone, word)) }
        h1 { (exploration.scenario) }
        p.about {
            (exploration.system) span.dot { "·" } (what) span.dot { "·" } "seed " (seed)
            @if let Some(procedure) = &exploration.procedure {
                span.dot { "·" } "procedure " b { (procedure) } ", in place of the scenario's own"
            }
            @if let Some(shard) = exploration.shard { span.dot { "·" } "part " (shard.k) " of " (shard.n) }
        }
        p.why {
            @if exploration.failures.is_empty() { "No case failed." }
            @else {
                (counted(unknown, "distinct failure", "distinct failures"))
                @if known > 0 { " and " (known) " that the scenario knows of" }
                " in " (failed) " of " (counted(*cases, "case", "cases")) "."
            }
        }
        dl.figures {
            div { dt { "Cases run" } dd { (cases) @if cases != enumerated { " " small { (format!("of {enumerated}, {percent:.1} %")) } } } }
            div { dt { "Failed a check" } dd { (failed) } }
            div { dt { "Distinct failures" } dd { a href="#failures" { (exploration.failures.len()) } } }
            div { dt { "How the engine ended" } dd { small { (ended.join(", ")) } } }
        }
        @if let Some(first) = exploration.failures.iter().find(|failure| failure.known.is_none()) {
            dl.facts { div.wide { dt { "Replay the first" } dd { (replay(first, folder)) } } }
        }
    }
}

fn replay(failure: &ExplorationFailure, folder: &Path) -> Markup {
    command(&replay_of(failure, folder))
}

fn failures(exploration: &Exploration, folder: &Path) -> Markup {
    if exploration.failures.is_empty() {
        return markup! { p.empty { "None of the cases failed." } };
    }
    markup! {
        ol.failures { @for failure in &exploration.failures { li { (shown(failure, folder)) } } }
    }
}

fn shown(failure: &ExplorationFailure, folder: &Path) -> Markup {
    let signature = &failure.signature;
    markup! {
        div.body {
            h3 {
                (badge(if failure.known.is_some() { Tone::Quiet } else { Tone::Bad }, &signature.check)) " " (signature.role)
                span.more { "after " code { (signature.fault) } " at " code { (signature.step) } }
            }
            p {
                (failure.message)
                @if !failure.also.is_empty() { span.more { "also " (failure.also.join(", ")) } }
            }
            @if let Some(issue) = &failure.known { p.doc { "known: " (issue) } }
            p.replay {
                (replay(failure, folder))
                @if kept::is_kept(failure, folder) {
                    a href={ (kept::place(failure)) "/report.html" } { "Report of this run" }
                }
            }
            details { summary { "The case" } pre { (failure.case) } }
        }
        p.cases { (counted(failure.cases, "case", "cases")) }
    }
}

fn known(exploration: &Exploration) -> Markup {
    markup! {
        table.stack {
            thead { tr { th scope="col" { "Signature" } th.number scope="col" { "Cases" } th scope="col" { "Why it is left" } } }
            tbody {
                @for line in &exploration.known_failures {
                    tr {
                        th scope="row" { code { (line.signature) } }
                        td.number data-label="Cases" { (line.cases) }
                        td { (line.reason) " " (line.issue)
                            @if exploration.mended().any(|mended| mended == line) {
                                p { (badge(Tone::Bad, "does not fail any more")) " take it out of the scenario" } } }
                    }
                }
            }
        }
    }
}

fn coverage(exploration: &Exploration) -> Markup {
    let tables = tables(&exploration.coverage);
    if tables.is_empty() {
        return markup! { p.empty { "No fault was tried." } };
    }
    markup! {
        p.legend {
            span { b { "12" } " cases in which the fault acted" }
            span { (badge(Tone::Bad, "2")) " of them failed a check" }
            span { (badge(Tone::Quiet, "1")) " cases in which it found no place to act" }
            span { b { "·" } " not tried there" }
        }
        div.matrices {
            @for table in &tables {
                // Two of the others stand beside each other on a wide screen.
                div.wide[table.columns.iter().any(|fault| fault.contains(':'))] { (scroller(table.head, &matrix(table))) }
            }
        }
    }
}

fn matrix(table: &Table<'_>) -> Markup {
    markup! {
        table.matrix {
            thead { tr { th scope="col" { (table.head) } @for fault in &table.columns { th scope="col" { (fault) } } } }
            tbody {
                @for (call, cells) in &table.rows {
                    tr {
                        th scope="row" { (call) }
                        @for fault in &table.columns { (cell(cells.get(fault))) }
                    }
                }
            }
        }
    }
}

fn cell(cell: Option<&Cell>) -> Markup {
    let Some(cell) = cell else { return markup! { td.none { "·" } } };
    let failed = cell.failed > 0;
    markup! {
        td class=[failed.then_some("bad")] {
            (cell.cases)
            @if failed { (badge(Tone::Bad, &cell.failed.to_string())) }
            @if cell.not_injectable > 0 { (badge(Tone::Quiet, &cell.not_injectable.to_string())) }
        }
    }
}

fn not_explored(exploration: &Exploration) -> Markup {
    let Exploration { cases, enumerated, pruned, .. } = exploration;
    let mut rows: Vec<(String, String, String)> = Vec::new();
    if cases < enumerated {
        let why = match (exploration.interrupted, exploration.shard, exploration.budget) {
            (true, _, _) => "somebody stopped it".to_owned(),
            (_, Some(shard), _) => format!("this is part {} of {}", shard.k, shard.n),
            (_, None, Some(budget)) => format!("the budget was {}", counted(budget, "case", "cases")),
            (_, None, None) => "they were not run".to_owned(),
        };
        rows.push(("cases".to_owned(), (enumerated - cases).to_string(), why));
    }
    if *pruned > 0 {
        let why = "their second fault strikes a state that another pair strikes already".to_owned();
        rows.push(("pairs of faults".to_owned(), pruned.to_string(), why));
    }
    if exploration.random.is_none() && exploration.order == 1 {
        let why = format!("asked for single faults; {} --order 2", exploration.command());
        rows.push(("pairs of faults".to_owned(), "all".to_owned(), why));
    }
    for excluded in &exploration.excluded {
        let calls = counted(excluded.calls, "call", "calls");
        rows.push((excluded.fault.clone(), calls, format!("it {}", excluded.reason)));
    }
    for call in &exploration.outside_steps {
        let why = "the engine calls it outside its steps".to_owned();
        rows.push((call.clone(), "any fault".to_owned(), why));
    }
    if rows.is_empty() {
        return markup! { p.empty { "Nothing was left out." } };
    }
    markup! {
        table.stack {
            thead { tr { th scope="col" { "What" } th.number scope="col" { "How much" } th scope="col" { "Why not" } } }
            tbody {
                @for (what, much, why) in &rows {
                    tr { th scope="row" { (what) } td.number { (much) } td { (why) } }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coverage::Excluded;
    use crate::exploration::{CoverageLine, VERSION};
    use crate::known::KnownLine;
    use crate::settings::{Random, Shard};
    use crate::signature::Signature;

    fn exploration() -> Exploration {
        let line = |call: &str, fault: &str, cases, failed, not_injectable| CoverageLine {
            call: call.into(),
            fault: fault.into(),
            cell: Cell { cases, failed, not_injectable },
        };
        Exploration {
            v: VERSION,
            scenario: "swap".into(),
            file: None,
            scenario_sha256: String::new(),
            system: "haproxy-appliance".into(),
            procedure: None,
            seed: 1,
            order: 1,
            random: None,
            shard: None,
            budget: None,
            interrupted: false,
            cases: 40,
            enumerated: 40,
            pruned: 0,
            failed: 3,
            ended: [("rolled-back".to_owned(), 40)].into(),
            coverage: vec![
                line("vsphere.Login", "refuse", 12, 3, 1),
                line("deploy-new", "crash-after:resume", 7, 0, 0),
            ],
            excluded: vec![Excluded { fault: "truncate".into(), reason: "cuts an HTTP answer".into(), calls: 4 }],
            outside_steps: vec!["vsphere.Logout".into()],
            failures: Vec::new(),
            known_failures: Vec::new(),
            speed: None,
        }
    }

    fn failure(message: &str) -> ExplorationFailure {
        let part = str::to_owned;
        let signature =
            Signature { check: part("restored"), role: part("vm"), step: part("deploy-new"), fault: part("refuse") };
        ExplorationFailure {
            cases: 3,
            first: (0, 0),
            message: message.into(),
            also: vec!["leftovers".into()],
            known: None,
            file: format!("cases/{}", signature.file_name()),
            case: format!("# {message}\n"),
            signature,
        }
    }

    fn page(exploration: &Exploration) -> String {
        html(exploration, Path::new("found here"))
    }

    #[test]
    fn cells_tell_cases_failures_and_what_found_no_place() {
        let page = page(&exploration());
        let row = page.split_once("vsphere.Login</th>").unwrap().1.split_once("</tr>").unwrap().0;
        let words: Vec<&str> = row.split(['<', '>']).filter(|word| word.parse::<u64>().is_ok()).collect();
        assert_eq!(words, ["12", "3", "1"]);
        assert!(row.contains("<td class=\"bad\">") && page.contains("crash-after:resume"));
        assert!(page.contains("No case failed.") && page.contains("None of the cases failed."));
    }

    #[test]
    fn a_failure_has_its_replay_command_and_says_nothing_but_text() {
        let hostile = "</script><img src=x onerror=alert(1)>";
        let exploration = Exploration { failures: vec![failure(hostile)], ..exploration() };
        let page = page(&exploration);
        assert!(page.contains("grenadier replay 'found here/cases/restored.vm.deploy-new.refuse.yaml'"), "{page}");
        assert!(page.contains("1 distinct failure in 3 of 40 cases."));
        assert!(!page.contains("<img") && page.matches("</script").count() == 1);
        assert!(!page.contains("Report of this run"), "there is none");
    }

    #[test]
    fn a_procedure_is_named_where_it_is_not_the_scenarios_own() {
        let own = page(&exploration());
        assert!(
            !own.contains("in place of the scenario") && own.contains("grenadier explore swap --seed 1 --order 2"),
            "{own}"
        );
        let other = page(&Exploration { procedure: Some("documented".into()), ..exploration() });
        assert!(other.contains("procedure <b>documented</b>, in place of the scenario's own"), "{other}");
        assert!(other.contains("grenadier explore swap --procedure documented --seed 1 --order 2"), "{other}");
    }

    #[test]
    fn what_was_not_explored_is_said_with_its_reason() {
        let page = |exploration: &Exploration| {
            let page = page(exploration);
            page.split_once("id=\"not-explored\"").unwrap().1.to_owned()
        };
        let whole = page(&exploration());
        for said in
            ["--order 2", "truncate", "it cuts an HTTP answer", "4 calls", "vsphere.Logout", "outside its steps"]
        {
            assert!(whole.contains(said), "{said}");
        }
        let cut = Exploration { cases: 30, budget: Some(30), ..exploration() };
        assert!(page(&cut).contains("the budget was 30 cases"));
        let part = Exploration { cases: 20, shard: Some(Shard { k: 1, n: 2 }), ..exploration() };
        assert!(page(&part).contains("this is part 1 of 2"));
        let stopped = Exploration { cases: 30, interrupted: true, ..exploration() };
        assert!(page(&stopped).contains("somebody stopped it"));
        let pruned = Exploration { order: 2, pruned: 1234, ..exploration() };
        let why = "</td><td>their second fault strikes a state that another pair strikes already";
        assert!(page(&pruned).contains(&format!("1234{why}")) && !page(&pruned).contains("--order 2"));
        assert!(!whole.contains(why) && !whole.contains("somebody stopped it"));
        let random = Exploration { random: Some(Random { schedules: 40, seed: 7 }), ..exploration() };
        assert!(!page(&random).contains("--order 2"));
    }

    /// The first screen, without what it is made of.
    fn first(exploration: &Exploration) -> String {
        let page = page(exploration);
        let first = page.split_once("<h1>").unwrap().0.rsplit_once("verdict").unwrap().1.to_owned();
        let rest = page.split_once("<h1>").unwrap().1.split_once("id=\"coverage\"").unwrap().0.to_owned();
        let mut text = String::new();
        let mut within = true;
        for c in (first + "<h1>" + &rest).chars() {
            match c {
                '<' => within = true,
                '>' => (within, text) = (false, text + " "),
                c if !within => text.push(c),
                _ => {}
            }
        }
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_first_screen_has_the_verdict_and_what_was_done() {
        assert!(first(&exploration()).starts_with("Passed swap haproxy-appliance · every single fault · seed 1"));
        let random = Exploration { random: Some(Random { schedules: 40, seed: 7 }), ..exploration() };
        assert!(first(&random).contains("random schedules, drawn from seed 7"), "{}", first(&random));
        let failed = Exploration { failures: vec![failure("no")], ..exploration() };
        let shown = first(&failed);
        assert!(shown.starts_with("Failed swap ") && shown.contains("1 distinct failure in 3 of 40 cases."), "{shown}");
        assert!(shown.contains("Replay the first") && shown.contains("Distinct failures 1"), "{shown}");
        let stopped = Exploration { interrupted: true, ..failed };
        assert!(first(&stopped).starts_with("Interrupted swap "));
        let broken = Signature { check: "panic".into(), ..failure("no").signature };
        let broken = ExplorationFailure { signature: broken, ..failure("no") };
        assert!(first(&Exploration { failures: vec![broken], ..exploration() }).starts_with("Unfit swap "));
    }

    #[test]
    fn what_the_scenario_knows_of_is_told_apart_and_what_is_mended_is_bad() {
        let line = |signature: &str, cases| KnownLine {
            signature: signature.into(),
            reason: "nobody can tell".into(),
            issue: "https://example.org/7".into(),
            cases,
        };
        let known = ExplorationFailure { known: Some("https://example.org/7".into()), ..failure("as ever") };
        let found = Exploration {
            failures: vec![known.clone()],
            known_failures: vec![line("restored/*/*/*", 3)],
            ..exploration()
        };
        let shown = first(&found);
        assert!(shown.starts_with("Passed swap "), "{shown}");
        assert!(shown.contains("0 distinct failures and 1 that the scenario knows of in 3 of 40 cases."), "{shown}");
        assert!(!shown.contains("Replay the first"), "{shown}");
        let whole = page(&found);
        let section =
            |page: &str| page.split_once("id=\"known\"").unwrap().1.split_once("</section>").unwrap().0.to_owned();
        assert!(whole.contains("known: https://example.org/7"), "{whole}");
        let table = section(&whole);
        assert!(table.contains("restored/*/*/*") && table.contains("nobody can tell https://example.org/7"), "{table}");
        assert!(!table.contains("does not fail any more"), "{table}");

        let mended = Exploration { known_failures: vec![line("leftovers/*/*/*", 0)], ..exploration() };
        assert!(first(&mended).starts_with("Failed swap "));
        assert!(section(&page(&mended)).contains("does not fail any more"));
        assert!(!page(&exploration()).contains("id=\"known\""), "nothing is known of");
        // The first that is not known is the one to replay.
        let other = failure("new");
        let both = Exploration {
            failures: vec![known, ExplorationFailure { file: "cases/new.yaml".into(), ..other }],
            ..exploration()
        };
        assert!(first(&both).contains("grenadier replay 'found here/cases/new.yaml'"), "{}", first(&both));
    }
}
