//! What reads were answered, for those that are to be answered as before.

use std::collections::BTreeMap;

use crate::{Answer, Exchange};

/// What was asked: whom, and with which words. Who asked, and in which session, makes no difference to a cache.
type Question = (String, Vec<u8>);

/// Answers by question: the last one, and the last one that was different. Empty, and costs nothing, where no rule asks for a
/// stale read.
#[derive(Default)]
pub(crate) struct Memory(BTreeMap<Question, (Answer, Option<Answer>)>);

/// What is asked; none for a shell, which answers for itself.
pub(crate) fn question(exchange: &Exchange) -> Option<Question> {
    let Exchange::Http(http) = exchange else { return None };
    let request = &http.request;
    let mut words = format!("{} {}\n", request.method(), request.uri()).into_bytes();
    words.extend_from_slice(request.body());
    Some((http.endpoint.clone(), words))
}

impl Memory {
    /// Notes an answer.
    pub(crate) fn note(&mut self, question: Question, answer: &Answer) {
        match self.0.get_mut(&question) {
            None => {
                self.0.insert(question, (answer.clone(), None));
            }
            Some((last, _)) if same(last, answer) => {}
            Some((last, before)) => *before = Some(std::mem::replace(last, answer.clone())),
        }
    }

    /// How the question was answered before the last change of its answer; none where it was never answered otherwise.
    pub(crate) fn before(&self, question: &Question) -> Option<Answer> {
        self.0.get(question)?.1.clone()
    }
}

fn same(one: &Answer, other: &Answer) -> bool {
    match (one, other) {
        (Answer::Http(one), Answer::Http(other)) => one.status() == other.status() && one.body() == other.body(),
        (Answer::Shell(one), Answer::Shell(other)) => one == other,
        _ => false,
    }
}
