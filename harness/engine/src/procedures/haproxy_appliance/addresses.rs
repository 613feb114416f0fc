//! Whether load-balancer addresses answer.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;

use crate::procedures::haproxy_appliance::parameters::Vantage;
use crate::procedures::haproxy_appliance::swap::Swap;
use crate::retry::Wait;
use crate::shell::Shell;
use crate::step::StepError;

/// How many addresses are asked side by side. An SSH server drops some of those who have not logged in yet from the eleventh on
/// (`sshd_config(5)`, `MaxStartups`), and all of these may be on one machine.
const AT_ONCE: usize = 8;

/// An address, and a machine of a cluster that asks it.
pub(super) struct Question {
    /// The cluster.
    pub(super) cluster: String,
    /// The address.
    pub(super) target: SocketAddr,
    /// The shell of the machine.
    shell: Shell,
}

impl Question {
    /// Asks once; otherwise what was seen.
    pub(super) async fn ask(&self) -> Result<(), String> {
        let command = format!("curl -sS -m 5 http://{}/", self.target);
        match self.shell.run_once(&command, Bytes::new()).await {
            Ok(output) if output.exit_code == 0 => Ok(()),
            Ok(output) => {
                let text = String::from_utf8_lossy(&output.stderr);
                Err(format!("curl ended with exit code {} {}", output.exit_code, text.trim()).trim_end().to_owned())
            }
            Err(error) => Err(crate::report::chain(&error)),
        }
    }

    /// What it is about, and what was seen in place of an answer.
    pub(super) fn told(&self, seen: &str) -> String {
        format!("{} from {}: {seen}", self.target, self.cluster)
    }
}

impl Swap {
    /// The questions whether addresses answer, each seen from the cluster for which `targets` names them.
    pub(super) fn questions<T>(&self, targets: impl Fn(&Vantage) -> T) -> Vec<Question>
    where
        T: IntoIterator<Item = SocketAddr>,
    {
        let mut questions = Vec::new();
        for vantage in &self.parameters.vantages {
            questions.extend(targets(vantage).into_iter().map(|target| Question {
                cluster: vantage.cluster.clone(),
                target,
                shell: self.vantage_shell(vantage),
            }));
        }
        questions
    }

    /// Waits until every address that answered before the upgrade answers, seen from each cluster; how many there are.
    pub(super) async fn wait_for_addresses(&self) -> Result<usize, StepError> {
        let baseline = self.findings.baseline.clone().unwrap_or_default();
        let answered = |vantage: &Vantage| baseline.answering.get(&vantage.cluster).cloned().unwrap_or_default();
        let questions = self.questions(answered);
        let wait = self.wait_for_answers(self.parameters.deadlines.addresses);
        let count = questions.len();
        let mut open = unanswered(questions).await;
        while let Some((first, _)) = open.first() {
            let seen: Vec<String> = open.iter().map(|(question, seen)| question.told(seen)).collect();
            wait.again(seen.join("; ")).await?;
            // As long as one does not answer, it is of no use to ask the others.
            match first.ask().await {
                Err(seen) => open[0].1 = seen,
                Ok(()) => open = unanswered(open.into_iter().skip(1).map(|(question, _)| question)).await,
            }
        }
        Ok(count)
    }

    /// Begins to wait for answers, for at most `limit`.
    pub(super) fn wait_for_answers(&self, limit: Duration) -> Wait {
        Wait::new(&self.wire, "load-balancer addresses answering", limit, self.parameters.deadlines.poll)
    }
}

/// Asks each question once, [`AT_ONCE`] of them side by side, in an order that is always the same; those that were not answered,
/// each with what was seen instead.
pub(super) async fn unanswered(questions: impl IntoIterator<Item = Question>) -> Vec<(Question, String)> {
    let mut left: Vec<Question> = questions.into_iter().collect();
    let mut open = Vec::new();
    while !left.is_empty() {
        let later = left.split_off(left.len().min(AT_ONCE));
        let seen = join_all(left.iter().map(Question::ask)).await;
        open.extend(left.into_iter().zip(seen).filter_map(|(question, seen)| Some((question, seen.err()?))));
        left = later;
    }
    open
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::pin;
    use std::sync::{Arc, Mutex};
    use std::task::{Context, Poll, Waker};

    use grenadier_events::{Actor, EventLog};
    use grenadier_wire::{Answer, Answerer, Answering, Exchange, ShellOutput, Wire};

    use super::*;
    use crate::procedures::haproxy_appliance::tests::parameters;
    use crate::testing::TestClock;

    /// Answers a little later, and remembers how many were waiting at most.
    #[derive(Clone, Default)]
    struct Later(Arc<Mutex<(usize, usize)>>);

    impl Answerer for Later {
        fn answer(&self, _actor: Actor, exchange: Exchange) -> Answering {
            let Exchange::Shell(shell) = exchange else { panic!("only commands are run") };
            let waiting = Arc::clone(&self.0);
            Box::pin(async move {
                {
                    let (now, most) = &mut *waiting.lock().unwrap();
                    *now += 1;
                    *most = (*most).max(*now);
                }
                let mut asked = false;
                let ready = |_: &mut Context<'_>| {
                    if std::mem::replace(&mut asked, true) { Poll::Ready(()) } else { Poll::Pending }
                };
                poll_fn(ready).await;
                waiting.lock().unwrap().0 -= 1;
                let exit_code = if shell.command.contains(":1003/") { 7 } else { 0 };
                Ok(Answer::Shell(ShellOutput { exit_code, ..ShellOutput::default() }))
            })
        }

        fn watches_time(&self) -> bool {
            true
        }
    }

    #[test]
    fn addresses_are_asked_side_by_side_but_not_too_many_and_always_in_the_same_order() {
        let (later, log) = (Later::default(), EventLog::default());
        let wire =
            Wire::new(Vec::new(), Arc::new(TestClock::default()), log.clone()).connected(Arc::new(later.clone()));
        let swap = Swap::new(wire.clone(), parameters(), String::new());
        let ports = |vantage: &Vantage| if vantage.cluster == "supervisor" { 1000..1006 } else { 2000..2005 };
        let targets = |vantage: &Vantage| ports(vantage).map(|port| ([198, 18, 2, 20], port).into());
        wire.set_step(Some("verify-addresses"));
        let mut asking = pin!(unanswered(swap.questions(targets)));
        let context = &mut Context::from_waker(Waker::noop());
        let polled = (0..).find_map(|_| match asking.as_mut().poll(context) {
            Poll::Ready(open) => Some(open),
            Poll::Pending => None,
        });
        let open: Vec<String> = polled.unwrap().iter().map(|(question, seen)| question.told(seen)).collect();
        assert_eq!(open, ["198.18.2.20:1003 from supervisor: curl ended with exit code 7"]);
        assert_eq!(*later.0.lock().unwrap(), (0, AT_ONCE));
        let asked: Vec<String> = log.events().into_iter().map(|event| event.kind).map(told).collect();
        let places = (0..11).map(|place| match place {
            0..6 => format!("verify-addresses/shell.curl#{} supervisor.example", place + 1),
            _ => format!("verify-addresses/shell.curl#{} tenant-1.example", place + 1),
        });
        assert_eq!(asked, places.collect::<Vec<_>>());
    }

    fn told(kind: grenadier_events::Kind) -> String {
        match kind {
            grenadier_events::Kind::Call { address, endpoint, .. } => format!("{address} {endpoint}"),
            other => panic!("{other:?}"),
        }
    }
}
