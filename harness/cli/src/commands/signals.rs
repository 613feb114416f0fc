//! The wish to stop.

use std::sync::atomic::{AtomicBool, Ordering};

static STOP: AtomicBool = AtomicBool::new(false);

/// Hears, beside everything, whether somebody asks this process to stop: the cases at work are ended, and what they showed is
/// reported. Gives what is set then.
pub(super) fn listen() -> &'static AtomicBool {
    use tokio::signal::unix::{SignalKind, signal};
    let hear = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
        runtime.block_on(async {
            let mut interrupt = signal(SignalKind::interrupt()).ok()?;
            let mut terminate = signal(SignalKind::terminate()).ok()?;
            let asked = std::pin::pin!(interrupt.recv());
            let told = std::pin::pin!(terminate.recv());
            futures_util::future::select(asked, told).await;
            STOP.store(true, Ordering::Relaxed);
            Some(())
        })
    };
    // Without it the process can still be killed; it leaves nothing behind but its folder.
    let _unheard = std::thread::Builder::new().name("signals".to_owned()).spawn(hear);
    &STOP
}
