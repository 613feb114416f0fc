//! Running many jobs on many threads.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::settings::Watch;

/// As deep as the main thread's: an engine's futures nest.
const STACK_BYTES: usize = 8 << 20;

/// Does the jobs `0..jobs`, each on one of `workers` threads, and gives what each thread gathered. Results stay where they were
/// made until the end, and which thread did which job is nobody's business.
pub fn run<T: Default + Send>(
    jobs: u64,
    workers: Option<NonZeroUsize>,
    watch: &dyn Watch,
    work: impl Fn(u64, &mut T) + Sync,
) -> Vec<T> {
    let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let threads = (workers.unwrap_or_else(cores).get() as u64).min(jobs).max(1);
    let next = AtomicU64::new(0);
    let gather = || {
        let mut gathered = T::default();
        while !watch.stop().load(Ordering::Relaxed) {
            let job = next.fetch_add(1, Ordering::Relaxed);
            if job >= jobs {
                break;
            }
            work(job, &mut gathered);
        }
        gathered
    };
    std::thread::scope(|scope| {
        let spawned: Vec<_> = (0..threads)
            .map(|_| {
                let builder = std::thread::Builder::new().stack_size(STACK_BYTES);
                builder.spawn_scoped(scope, gather).expect("a process may have a thread for each of its cores")
            })
            .collect();
        spawned.into_iter().map(|thread| thread.join().expect("what a job panics with is caught there")).collect()
    })
}
