//! The frame of every page: head, style, script, data, and the rule that nothing is fetched.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use crate::text::clean;
use crate::tone::Tone;

const STYLE: &str = include_str!("report.css");
const SCRIPT: &str = concat!(
    include_str!("axis.js"),
    include_str!("picture.js"),
    include_str!("timeline.js"),
    include_str!("events.js"),
    include_str!("report.js")
);

/// A part of a page with a heading of its own, to which the page's contents lead.
#[derive(Debug)]
pub struct Section {
    /// Its name in addresses.
    pub id: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// What stands in it.
    pub body: Markup,
}

/// A page.
#[derive(Debug)]
pub struct Page {
    /// What browsers show in the tab.
    pub title: String,
    /// What kind of report it is, in two or three words.
    pub what: &'static str,
    /// How it came out: the mark beside the title in the tab.
    pub tone: Tone,
    /// What everybody sees first.
    pub first: Markup,
    /// The rest.
    pub sections: Vec<Section>,
    /// What the script draws, as JSON.
    pub data: Option<String>,
}

impl Page {
    /// The file.
    pub fn render(&self) -> String {
        let title = clean(&self.title);
        let markup = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(policy());
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="generator" content=(concat!("Grenadier ", env!("CARGO_PKG_VERSION")));
                    title { (title) " · Grenadier" }
                    link rel="icon" href=(icon(self.tone));
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    a.skip href="#main" { "Skip to the report" }
                    (symbols())
                    div.top {
                        span.brand { "Grenadier" } span.what { (self.what) }
                        nav aria-label="Contents" {
                            @for Section { id, title, .. } in &self.sections { a href={ "#" (id) } { (title) } }
                        }
                    }
                    main #main {
                        header { (self.first) }
                        @for Section { id, title, body } in &self.sections {
                            section #(id) aria-labelledby={ (id) "-title" } {
                                h2 #{ (id) "-title" } { (title) }
                                (body)
                            }
                        }
                    }
                    @if let Some(data) = &self.data {
                        script #data type="application/json" { (PreEscaped(within_script(data))) }
                    }
                    script { (PreEscaped(SCRIPT)) }
                }
            }
        };
        markup.into_string()
    }
}

/// Only this style and this script count, only `data:` images are shown, and nothing is fetched, submitted or embedded.
fn policy() -> String {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; img-src data:; base-uri 'none'; \
         form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}

/// JSON that cannot end the element it stands in, nor begin a comment there: `<` occurs in its strings alone.
fn within_script(json: &str) -> String {
    json.replace('<', "\\u003c")
}

/// The mark in the browser's tab. The shapes are those of [`symbols`].
fn icon(tone: Tone) -> String {
    let (colour, path) = match tone {
        Tone::Good => ("1a7f4b", PASS),
        Tone::Bad => ("c0342b", FAIL),
        Tone::Notice | Tone::Quiet | Tone::Strong => ("9a6700", OPEN),
    };
    let svg = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><path d='{path}' fill='none' \
         stroke='#{colour}' stroke-width='2.5' stroke-linecap='round' stroke-linejoin='round'/></svg>"
    );
    format!("data:image/svg+xml;base64,{}", STANDARD.encode(svg))
}

const PASS: &str = "M3 8.5 6.5 12 13 4.5";
const FAIL: &str = "M4 4 12 12M12 4 4 12";
const OPEN: &str = "M8 3.2V9M8 12.6V12.7";
const NONE: &str = "M4 8H12";

/// The shapes that say with every colour what it means.
fn symbols() -> Markup {
    html! {
        svg.symbols aria-hidden="true" {
            @for (tone, path) in [("good", PASS), ("bad", FAIL), ("notice", OPEN), ("quiet", NONE)] {
                symbol id={ "mark-" (tone) } viewBox="0 0 16 16" { path d=(path) {} }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_cannot_leave_its_element() {
        let json = serde_json::to_string("</script><!-- <script>").unwrap();
        let safe = within_script(&json);
        assert!(!safe.contains('<'), "{safe}");
        assert_eq!(serde_json::from_str::<String>(&safe).unwrap(), "</script><!-- <script>");
    }

    #[test]
    fn style_and_script_are_the_ones_the_policy_names() {
        let page = Page {
            title: "a".into(),
            what: "test",
            tone: Tone::Good,
            first: html! {},
            sections: Vec::new(),
            data: None,
        };
        let page = page.render();
        for (open, close) in [("<style>", "</style>"), ("<script>", "</script>")] {
            let text = page.split_once(open).unwrap().1.split_once(close).unwrap().0;
            assert!(page.contains(&STANDARD.encode(Sha256::digest(text))), "{open}");
        }
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import") && !SCRIPT.contains("fetch("));
        assert!(!SCRIPT.contains("innerHTML"), "what a run says is text, never markup");
    }
}
