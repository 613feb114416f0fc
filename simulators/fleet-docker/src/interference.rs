//! What somebody else does to the run's containers.
//!
//! A container that is killed or removed ends the conversation with its agent, which tells at once. One that is paused ends
//! nothing: it only falls silent. The engine's own events tell of that.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::task::JoinHandle;

use crate::engine::events;
use crate::owner;
use crate::shared::Shared;

/// How soon the engine's events are asked for again, where the engine let go of us.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Listens to the engine for as long as it is kept.
#[derive(Debug)]
pub(crate) struct Interference(JoinHandle<()>);

impl Interference {
    /// Begins to listen.
    pub(crate) fn listen(shared: Arc<Shared>) -> Interference {
        Interference(tokio::spawn(async move {
            loop {
                listen(&shared).await;
                tokio::time::sleep(AGAIN_AFTER).await;
            }
        }))
    }
}

impl Drop for Interference {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Acts on the engine's events until it has no more.
async fn listen(shared: &Arc<Shared>) {
    let label = format!("{}={}", owner::RUN, shared.run());
    let mut events = events(&shared.docker, &[("type", &["container"]), ("event", &["pause"]), ("label", &[&label])]);
    // A broken stream means the same as its end: it is asked for again.
    while let Some(Ok(event)) = events.next().await {
        let Some(id) = event.actor.and_then(|actor| actor.id) else { continue };
        let paused =
            shared.present().values().find(|present| present.id == id).map(|present| present.container.clone());
        if let Some(container) = paused {
            let shared = Arc::clone(shared);
            tokio::spawn(async move { container.lock().await.was_paused(&shared).await });
        }
    }
}
