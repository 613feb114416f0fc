//! One sample over a connection of its own.

use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout_at;

use super::connection::{Stop, Stream, ending, open, silent};
use super::finding::{Failed, Finding, SAMPLE_TIMEOUT, Sample};
use super::speech::{Speech, belongs};
use crate::protocol::WatchOrder;

/// A connection that gave its first answer.
pub(super) struct Answering {
    pub(super) stream: Box<dyn Stream>,
    pub(super) speech: Speech,
    /// What came behind the answer.
    pub(super) behind: Vec<u8>,
}

/// Takes one sample, and closes the connection.
pub(super) async fn sample(number: u64, order: &WatchOrder) -> Sample {
    take(number, order, true).await.0
}

/// Takes one sample over a connection that may be kept afterwards.
pub(super) async fn take(number: u64, order: &WatchOrder, closes: bool) -> (Sample, Option<Answering>) {
    let began = Instant::now();
    let deadline = began + SAMPLE_TIMEOUT;
    let mut speech = Speech::new(order, closes);
    match ask(number, order, &mut speech, deadline).await {
        Ok((finding, stream, behind)) => {
            let sample = Sample::ending_now(began, finding);
            (sample, Some(Answering { stream, speech, behind }))
        }
        Err(stop) => (Sample::ending_now(began, stop.into()), None),
    }
}

async fn ask(
    number: u64,
    order: &WatchOrder,
    speech: &mut Speech,
    deadline: Instant,
) -> Result<(Finding, Box<dyn Stream>, Vec<u8>), Stop> {
    let mut stream = open(order, deadline).await?;
    let request = speech.request(number);
    let mut came = Vec::with_capacity(1024);
    let answer = async {
        if let Err(error) = stream.write_all(&request).await {
            return Err(ending(Some(&error)));
        }
        loop {
            let ended = match stream.read_buf(&mut came).await {
                Ok(0) => Some(ending(None)),
                Ok(_) => None,
                Err(error) => Some(ending(Some(&error))),
            };
            if let Some(answer) = speech.answer(number, &mut came, ended.is_some()) {
                return answer;
            }
            if let Some(ending) = ended {
                return Err(speech.broken(&came, ending));
            }
        }
    };
    let answer = timeout_at(deadline.into(), answer).await.map_err(|_| silent("no answer from", order))?;
    let finding = match answer.and_then(|answered| belongs(order, answered)) {
        Ok(answered) => Finding::Answered(answered),
        Err(failed) => return Err(Stop::Failed(failed)),
    };
    Ok((finding, stream, came))
}

/// What an immediate sample on a fresh connection says about a failure of a kept one: whether the target is down or the
/// connection alone. The failure keeps its own class where the fresh connection was answered.
pub(super) async fn control(failed: Failed, number: u64, order: &WatchOrder) -> Failed {
    let Failed { class, text, is_silence } = failed;
    let text = format!("the kept connection: {text}");
    match sample(number, order).await.finding {
        Finding::Answered(answered) => {
            let by = answered.by.unwrap_or_default();
            Failed { class, text: format!("{text}; a fresh one was answered by {by}"), is_silence }
        }
        Finding::Failed(other) => {
            Failed { class: other.class, text: format!("{text}; a fresh one: {}", other.text), is_silence }
        }
        Finding::Unknown { reason, .. } => {
            Failed { class, text: format!("{text}; no fresh one could be tried: {reason}"), is_silence }
        }
    }
}
