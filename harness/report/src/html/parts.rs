//! What stands on more than one page.

use maud::{Markup, html};

use crate::text::{clean, one_line};
use crate::tone::Tone;

/// A word with a mark and a colour that say the same.
pub fn badge(tone: Tone, word: &str) -> Markup {
    html! { span class={ "badge " (tone.name()) } { (mark(tone)) (one_line(word)) } }
}

/// The mark of a tone.
fn mark(tone: Tone) -> Markup {
    let shape = if tone == Tone::Strong { Tone::Quiet } else { tone };
    html! { svg.mark aria-hidden="true" { use href={ "#mark-" (shape.name()) } {} } }
}

/// Something to type, with a button that copies it.
pub fn command(text: &str) -> Markup {
    let text = one_line(text);
    html! {
        span.command {
            code { (text) }
            button.copy type="button" data-copy=(text) aria-label={ "Copy: " (text) } hidden { "Copy" }
        }
    }
}

/// Several lines of what somebody else wrote.
pub(super) fn block(text: &str) -> Markup {
    html! { pre { (clean(text)) } }
}

/// Something wider than a small screen, which scrolls by itself and can be reached by keyboard.
pub fn scroller(label: &str, body: &Markup) -> Markup {
    html! { div.scroller role="region" aria-label=(label) tabindex="0" { (body) } }
}
