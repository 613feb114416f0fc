//! Asynchronous code in virtual time.
//!
//! One future is polled until it waits for the world; then the world takes its next events until one of them woke it. Nothing
//! else notices idleness, so no wall clock and no timer wheel stands between an event and its nanosecond.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// Whether the future outside was woken since it was polled last.
#[derive(Default)]
pub(crate) struct Woken(AtomicBool);

impl Woken {
    pub(crate) fn take(&self) -> bool {
        self.0.swap(false, Ordering::AcqRel)
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

/// A moment somebody waits for.
#[derive(Default)]
pub(crate) struct WakeUp(Mutex<WakeUpState>);

#[derive(Default)]
struct WakeUpState {
    over: bool,
    waker: Option<Waker>,
}

impl WakeUp {
    /// The moment has come.
    pub(crate) fn ring(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.over = true;
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
    }
}

/// Ready when its moment has come.
pub(crate) struct Sleeping(pub Arc<WakeUp>);

impl Future for Sleeping {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.over {
            return Poll::Ready(());
        }
        state.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleeping {
    fn drop(&mut self) {
        // Nobody is to be woken by a sleep that was given up.
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).waker = None;
    }
}
