//! The engine's end of [`crate::wire`].

use std::collections::BTreeMap;
use std::io::{BufRead, StdinLock, Write};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use grenadier_agent::protocol::AnswerForm;
use grenadier_clock::{Clock, Sleep, Time};
use grenadier_events::Actor;
use grenadier_wire::{Answerer, Answering, Exchange, Failure, StepMoment, Wire};
use tokio::sync::oneshot;

use crate::wire::{FromEngine, ToEngine};

#[derive(Default)]
struct State {
    now: Time,
    asked: u64,
    calls: BTreeMap<u64, oneshot::Sender<AnswerForm>>,
    /// Sleeps, and moments of steps.
    waits: BTreeMap<u64, oneshot::Sender<()>>,
}

/// What is asked of the host and was not answered yet, and the host's time. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Host(Arc<Mutex<State>>);

impl Host {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for something under a number of its own.
    fn ask(&self, keep: impl FnOnce(&mut State, u64), question: impl FnOnce(u64) -> FromEngine) {
        let id = {
            let mut state = self.state();
            state.asked += 1;
            let id = state.asked;
            keep(&mut state, id);
            id
        };
        say(&question(id));
    }

    /// Asks for something that is over when the host says so.
    fn wait(&self, question: impl FnOnce(u64) -> FromEngine) -> Sleep {
        let (sender, over) = oneshot::channel();
        self.ask(|state, id| _ = state.waits.insert(id, sender), question);
        Box::pin(async move {
            // The other end is kept until the host answers.
            let _over = over.await;
        })
    }

    /// Takes what the host says next; false where there is no host any more.
    fn hear(&self, input: &mut StdinLock<'_>) -> bool {
        let mut line = String::new();
        let message = match input.read_line(&mut line) {
            Ok(length) if length > 0 => serde_json::from_str(&line).ok(),
            _ => None,
        };
        let mut state = self.state();
        // Whoever asked may have stopped waiting.
        match message {
            Some(ToEngine::Begin { now }) => state.now = now,
            Some(ToEngine::Woken { id, now } | ToEngine::GoOn { id, now }) => {
                state.now = now;
                let _unheard = state.waits.remove(&id).map(|wait| wait.send(()));
            }
            Some(ToEngine::Answer { id, now, answer }) => {
                state.now = now;
                let _unheard = state.calls.remove(&id).map(|call| call.send(answer));
            }
            None => return false,
        }
        true
    }

    /// Runs `main` by what the host says; none where the host goes away before it ends.
    pub(crate) fn block_on<T>(&self, main: impl Future<Output = T>) -> Option<T> {
        let mut input = std::io::stdin().lock();
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let mut main = pin!(main);
        // The first thing the host says is what time it is.
        let mut hears = self.hear(&mut input);
        while hears {
            if let Poll::Ready(output) = main.as_mut().poll(&mut Context::from_waker(&waker)) {
                return Some(output);
            }
            if !woken.0.swap(false, Ordering::Relaxed) {
                say(&FromEngine::Idle);
                hears = self.hear(&mut input);
            }
        }
        None
    }
}

/// Whether the future has more to do without hearing anything.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Says something to the host. One that is gone shows when the engine next listens.
pub(crate) fn say(message: &FromEngine) {
    let line = serde_json::to_string(message).expect("a message has string keys");
    let mut out = std::io::stdout().lock();
    let _gone = writeln!(out, "{line}").and_then(|()| out.flush());
}

impl Clock for Host {
    fn now(&self) -> Time {
        self.state().now
    }

    fn sleep(&self, length: Duration) -> Sleep {
        let length_ns = u64::try_from(length.as_nanos()).unwrap_or(u64::MAX);
        self.wait(|id| FromEngine::Sleep { id, length_ns })
    }
}

/// Has the host make the calls.
pub(crate) struct Piped {
    pub(crate) host: Host,
    /// Tells the step of a call. Nothing is called through it.
    pub(crate) names: Wire,
}

impl Answerer for Piped {
    fn answer(&self, _actor: Actor, exchange: Exchange) -> Answering {
        let endpoint = exchange.endpoint().to_owned();
        let (sender, answer) = oneshot::channel();
        let step = self.names.step();
        self.host.ask(
            |state, id| _ = state.calls.insert(id, sender),
            |id| FromEngine::Call { id, step, call: exchange.into() },
        );
        Box::pin(async move {
            let lost = |_| Failure::ConnectionLost { endpoint: endpoint.clone() };
            answer.await.map_err(lost)?.into_result(&endpoint)
        })
    }

    fn watches_time(&self) -> bool {
        true
    }

    fn at_moment(&self, step: &str, moment: StepMoment) -> Sleep {
        let step = step.to_owned();
        self.host.wait(|id| FromEngine::Moment { id, step, moment })
    }
}
