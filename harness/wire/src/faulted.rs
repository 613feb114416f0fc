//! What becomes of a call that a rule disturbs.

use http::{HeaderValue, header};

use crate::memory::question;
use crate::{
    Answer, Answerer, Crash, Exchange, Failure, FaultKind, FaultPlace, FaultRule, ProtocolFault, RETRY_AFTER, Ticket,
    Wire,
};

impl Wire {
    /// Makes a call as its rule says.
    pub(crate) async fn faulted(
        &self,
        ticket: &Ticket,
        answerer: &dyn Answerer,
        exchange: Exchange,
    ) -> Result<Answer, Failure> {
        let (actor, endpoint) = (ticket.actor, exchange.endpoint().to_owned());
        let Some(fault) = ticket.fault else { return answerer.answer(actor, exchange).await };
        let crash = || Crash { at: FaultPlace::Call(ticket.address.clone()), fault };
        match fault {
            FaultKind::Refuse => Err(Failure::Refused { endpoint }),
            FaultKind::Hang => std::future::pending().await,
            FaultKind::Unavailable => self.rendered(&exchange, ProtocolFault::Unavailable),
            FaultKind::Throttle => self.rendered(&exchange, ProtocolFault::Throttle).map(retry_after),
            FaultKind::ErrorAfter => {
                let rendered = self.rendered(&exchange, ProtocolFault::ErrorAfter);
                let _effect = answerer.answer(actor, exchange).await;
                rendered
            }
            FaultKind::LostReply => {
                let _effect = answerer.answer(actor, exchange).await;
                Err(Failure::ConnectionLost { endpoint })
            }
            FaultKind::HangAfter => {
                let _effect = answerer.answer(actor, exchange).await;
                std::future::pending().await
            }
            FaultKind::Truncate => cut(answerer.answer(actor, exchange).await?, endpoint),
            FaultKind::Slow => {
                let answer = answerer.answer(actor, exchange).await;
                self.clock().sleep(ticket.length).await;
                answer
            }
            FaultKind::StaleRead => self.stale(ticket, answerer, exchange).await,
            // The simulator was asked to.
            FaultKind::Unauthorised | FaultKind::TaskFails | FaultKind::TaskStuck => {
                answerer.answer(actor, exchange).await
            }
            FaultKind::CrashBefore => self.process().end(crash()).await,
            FaultKind::CrashAfter => {
                let _effect = answerer.answer(actor, exchange).await;
                self.process().end(crash()).await
            }
            // These are for steps; a rule that has one at a call does nothing there.
            FaultKind::CrashJournaled
            | FaultKind::MachineCrash
            | FaultKind::BootFails
            | FaultKind::NoAddress
            | FaultKind::DiskFull
            | FaultKind::SlowStart
            | FaultKind::Pause
            | FaultKind::Partition
            | FaultKind::Delay
            | FaultKind::Loss => answerer.answer(actor, exchange).await,
        }
    }

    /// Asks, and answers what the same question was answered before its answer changed last.
    async fn stale(&self, ticket: &Ticket, answerer: &dyn Answerer, exchange: Exchange) -> Result<Answer, Failure> {
        let question = question(&exchange);
        let answer = answerer.answer(ticket.actor, exchange).await?;
        let before = question.and_then(|question| {
            self.with_memory(|memory| {
                memory.note(question.clone(), &answer);
                memory.before(&question)
            })
        });
        let rule = FaultRule::new(ticket.address.clone(), FaultKind::StaleRead);
        match before {
            Some(stale) => {
                self.injected(&rule, self.clock().now());
                Ok(stale)
            }
            None => {
                self.stays_idle(rule, "the same was never answered otherwise before");
                Ok(answer)
            }
        }
    }
}

fn retry_after(mut answer: Answer) -> Answer {
    if let Answer::Http(response) = &mut answer {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER.as_secs()));
    }
    answer
}

/// The head of an answer and half of its body. The header still says how long the whole was, which is how a client can tell.
fn cut(answer: Answer, endpoint: String) -> Result<Answer, Failure> {
    match answer {
        Answer::Http(mut response) if !response.body().is_empty() => {
            let whole = response.body().len();
            response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(whole));
            let half = response.body().slice(..whole / 2);
            *response.body_mut() = half;
            Ok(Answer::Http(response))
        }
        // There is nothing that could arrive in part.
        Answer::Http(_) | Answer::Shell(_) => Err(Failure::ConnectionLost { endpoint }),
    }
}
