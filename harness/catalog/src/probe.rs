//! Kinds of probe.

use crate::named::named;

named! {
    /// How a probe asks a target whether it is there.
    pub enum ProbeKind("probe kind") {
        HttpNew = "http-new", "one HTTP request on a new connection per sample, as a browser that just arrived";
        HttpPinned = "http-pinned", "HTTP requests on one kept connection, reopened only when it breaks";
    }
}
