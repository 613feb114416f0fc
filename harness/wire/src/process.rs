//! The engine's process, as far as the wire can end it.

use std::future::{Future, poll_fn};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::Poll;

use futures_util::task::AtomicWaker;

use crate::fault::Crash;

/// Whether the engine's process lives. One that was ended gets no further: whatever it asks for next never answers, until
/// somebody lets go of it and starts another one.
#[derive(Default)]
pub(crate) struct Process {
    ended: AtomicBool,
    crash: Mutex<Option<Crash>>,
    waker: AtomicWaker,
}

impl Process {
    /// Whether it was ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Ends it. Whoever asked gets no further.
    pub(crate) async fn end<T>(&self, crash: Crash) -> T {
        *self.crash.lock().unwrap_or_else(PoisonError::into_inner) = Some(crash);
        self.ended.store(true, Ordering::Release);
        self.waker.wake();
        std::future::pending().await
    }

    /// Ready when it was ended.
    pub(crate) fn crashed(&self) -> impl Future<Output = Crash> {
        poll_fn(|context| {
            self.waker.register(context.waker());
            match self.crash.lock().unwrap_or_else(PoisonError::into_inner).take() {
                Some(crash) => Poll::Ready(crash),
                None => Poll::Pending,
            }
        })
    }

    /// Another one takes its place.
    pub(crate) fn begin(&self) {
        self.ended.store(false, Ordering::Release);
        *self.crash.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
