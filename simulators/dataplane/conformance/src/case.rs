//! A case and its steps.

use crate::World;

/// A request to the Data Plane API. Paths, bodies and expected texts may hold names in braces: `{version}` is the present
/// version of the configuration, `{vip}` an address of the appliance, `{far}` one that is not, any other what an earlier step
/// has kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The HTTP method.
    pub method: &'static str,
    /// The path; below `/v2/services/haproxy` unless it begins with `/v2`.
    pub path: String,
    /// The body; none where it is empty.
    pub body: String,
    /// The password: right, wrong, or no `Authorization` at all.
    pub password: Password,
}

/// Whether a request can be let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Password {
    /// It has the right one.
    Right,
    /// It has another one.
    Wrong,
    /// It names nobody.
    None,
}

/// A text that an answer must hold: the same everywhere, or marked as different in the two worlds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// The same in both.
    Same(&'static str),
    /// Different on purpose, and why.
    ByWorld {
        /// With the model of HAProxy.
        model: &'static str,
        /// With the real one, whichever generation.
        real: &'static str,
        /// Why they differ.
        why: &'static str,
    },
}

impl Cell {
    /// The text for one world.
    pub fn of(self, world: World) -> &'static str {
        match self {
            Cell::Same(text) => text,
            Cell::ByWorld { model, real, .. } => match world {
                World::Model => model,
                World::Real => real,
            },
        }
    }
}

/// One thing that is done or looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A request, and the status of its answer.
    Ask(Request, u16),
    /// The last answer's body has this at a JSON pointer.
    Body(&'static str, serde_json::Value),
    /// The last answer's message begins so.
    Message(Cell),
    /// The last answer's message holds this somewhere.
    Mentions(Cell),
    /// The last answer has this header, with this value.
    Header(&'static str, &'static str),
    /// The last answer does not have this header.
    NoHeader(&'static str),
    /// Keeps what the last answer's body has at a JSON pointer under a name.
    Keep(&'static str, &'static str),
    /// Keeps a header of the last answer under a name.
    KeepHeader(&'static str, &'static str),
    /// Two kept values are equal.
    Equal(&'static str, &'static str),
    /// Keeps a file's content under a name.
    KeepFile(&'static str, &'static str),
    /// A file holds this.
    FileHolds(&'static str, String),
    /// A file does not hold this; a file that is not there holds nothing.
    FileLacks(&'static str, String),
    /// A file is what was kept under a name.
    FileIs(&'static str, &'static str),
    /// Whether there is such a file.
    FileExists(String, bool),
    /// Writes a file behind the API's back.
    Write(&'static str, String),
    /// The request is repeated until its body has this at a JSON pointer.
    Until(Request, &'static str, serde_json::Value),
    /// Waits until the running HAProxy listens (or does not) for a frontend, with so many servers behind it.
    Serves(&'static str, Option<usize>),
    /// Waits until the running HAProxy has loaded the file as it is.
    Loaded,
    /// What the running HAProxy has loaded is not the file as it is.
    NotLoaded,
    /// `systemctl VERB SERVICE`.
    Systemctl(&'static str, &'static str),
    /// SIGKILL for HAProxy's master, else for its worker; then the service is active again.
    Kill {
        /// The master.
        master: bool,
    },
}

/// A row of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// What it shows.
    pub name: &'static str,
    /// What is done and looked at, in order.
    pub steps: Vec<Step>,
}

impl Case {
    pub(crate) fn new(name: &'static str) -> Case {
        Case { name, steps: Vec::new() }
    }

    pub(crate) fn step(mut self, step: Step) -> Case {
        self.steps.push(step);
        self
    }

    pub(crate) fn ask(self, method: &'static str, path: &str, body: &str, status: u16) -> Case {
        self.step(Step::Ask(request(method, path, body), status))
    }

    pub(crate) fn get(self, path: &str, status: u16) -> Case {
        self.ask("GET", path, "", status)
    }

    pub(crate) fn post(self, path: &str, body: &str, status: u16) -> Case {
        self.ask("POST", path, body, status)
    }

    pub(crate) fn put(self, path: &str, body: &str, status: u16) -> Case {
        self.ask("PUT", path, body, status)
    }

    pub(crate) fn delete(self, path: &str, status: u16) -> Case {
        self.ask("DELETE", path, "", status)
    }

    pub(crate) fn message(self, text: &'static str) -> Case {
        self.step(Step::Message(Cell::Same(text)))
    }

    pub(crate) fn mentions(self, text: &'static str) -> Case {
        self.step(Step::Mentions(Cell::Same(text)))
    }

    pub(crate) fn body(self, pointer: &'static str, value: serde_json::Value) -> Case {
        self.step(Step::Body(pointer, value))
    }

    /// Begins a transaction on the present version and keeps its id.
    pub(crate) fn begin(self, name: &'static str) -> Case {
        self.post("/transactions?version={version}", "", 201).step(Step::Keep("/id", name))
    }

    pub(crate) fn until(self, path: &str, pointer: &'static str, value: serde_json::Value) -> Case {
        self.step(Step::Until(request("GET", path, ""), pointer, value))
    }
}

pub(crate) fn request(method: &'static str, path: &str, body: &str) -> Request {
    Request { method, path: path.to_owned(), body: body.to_owned(), password: Password::Right }
}
