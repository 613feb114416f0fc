//! Every reader and writer, fed with anything: no panic, no endless work, memory in proportion to what was fed, and what is
//! written reads as it was.
//!
//! What must hold stands beside each codec, in the module `codecs` of its crate; the fuzzers in `fuzz/` call the same functions
//! and begin with the same corpus. Here each file of the corpus is fed as it is, cut off, and changed at random a few times.
//! `GRENADIER_CODEC_CASES=2000` feeds more.

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};

use libtest_mimic::{Arguments, Failed, Trial};
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};

/// A codec: its name, which is that of its fuzzer and of its corpus, and what must hold of it.
type Codec = (&'static str, fn(&[u8]));

const CODECS: &[Codec] = &[
    ("agent_message", grenadier_agent::codecs::message),
    ("appliance_configuration", grenadier_haproxy_appliance::codecs::configuration),
    ("appliance_inputs", grenadier_haproxy_appliance::codecs::inputs),
    ("call_address", grenadier_carriers::codecs::address),
    ("dataplane_configuration", grenadier_dataplane::codecs::configuration),
    ("dataplane_requests", grenadier_dataplane::codecs::requests),
    ("disk_image", grenadier_haproxy_appliance::codecs::image),
    ("engine_configuration", grenadier_engine::codecs::configuration),
    ("engine_descriptor", grenadier_engine::codecs::descriptor),
    ("engine_envelope", grenadier_engine::codecs::envelope),
    ("event_line", grenadier_events::codecs::line),
    ("gate_profile", grenadier_scenario::codecs::profile),
    ("http_client", grenadier_carriers::codecs::client),
    ("http_server", grenadier_carriers::codecs::server),
    ("journal", grenadier_engine::codecs::journal),
    ("scenario", grenadier_scenario::codecs::scenario),
    ("scenario_case", grenadier_scenario::codecs::case),
    ("scenario_names", grenadier_scenario::codecs::names),
    ("vsphere_descriptor", grenadier_vsphere::codecs::descriptor),
    ("vsphere_request", grenadier_vsphere::codecs::request),
    ("vsphere_xml", grenadier_vsphere::codecs::xml),
];

/// What a codec may take beside what it is fed, in bytes: a small world to answer in, tables made once.
const MOST_BESIDE: usize = 8 << 20;
/// How many bytes it may take for each that it is fed.
const MOST_FOR_EACH: usize = 2048;

/// Random changes of the corpus for each codec.
const CASES: u32 = 48;

fn main() -> ExitCode {
    let trials = CODECS.iter().map(|(name, holds)| Trial::test(*name, || survives(name, *holds))).collect();
    let mut arguments = Arguments::from_args();
    // The memory that is counted is that of the whole process.
    arguments.test_threads = Some(1);
    let every_corpus = Trial::test("every corpus has its codec and every fuzzer its corpus", everything_is_there);
    libtest_mimic::run(&arguments, [every_corpus].into_iter().chain::<Vec<Trial>>(trials).collect()).exit_code()
}

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz")
}

fn corpus(name: &str) -> Result<Vec<Vec<u8>>, Failed> {
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(fuzz().join("corpus").join(name))? {
        paths.push(entry?.path());
    }
    paths.sort();
    paths.into_iter().map(|path| Ok(fs::read(path)?)).collect()
}

fn survives(name: &'static str, holds: fn(&[u8])) -> Result<(), Failed> {
    let corpus = corpus(name)?;
    for whole in &corpus {
        for end in (0..=8).map(|eighth| whole.len() * eighth / 8) {
            within_bounds(holds, &whole[..end])?;
        }
    }
    let cases = std::env::var("GRENADIER_CODEC_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES);
    let config = ProptestConfig {
        cases,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        max_shrink_iters: 2_000,
        ..ProptestConfig::default()
    };
    let outcome = TestRunner::new(config).run(&changed(corpus), |bytes| {
        within_bounds(holds, &bytes).map_err(|failed| TestCaseError::fail(format!("{:?}", failed.message())))
    });
    outcome.map_err(|error| error.to_string().into())
}

/// A file of the corpus with some of it replaced, or bytes that come from nowhere.
fn changed(corpus: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let pieces = corpus.clone();
    let piece = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0_usize..40).prop_map(
        move |(which, at, length)| {
            let whole = which.get(&pieces);
            let at = at.index(whole.len().max(1)).min(whole.len());
            whole[at..(at + length).min(whole.len())].to_vec()
        },
    );
    let inserted = prop_oneof![
        Just(Vec::new()),
        "[ \t\r\n:,#{}\\[\\]'\"&;<>/=%_0-9-]{1,4}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 1..4),
        piece,
    ];
    let edits = prop::collection::vec((any::<prop::sample::Index>(), 0_usize..12, inserted), 1..5);
    let edited = (any::<prop::sample::Index>(), edits).prop_map(move |(which, edits)| {
        let mut bytes = which.get(&corpus).clone();
        for (at, removed, inserted) in edits {
            let at = at.index(bytes.len() + 1);
            let end = (at + removed).min(bytes.len());
            bytes.splice(at..end, inserted);
        }
        bytes
    });
    prop_oneof![8 => edited, 1 => prop::collection::vec(any::<u8>(), 0..300), 1 => "\\PC{0,200}".prop_map(String::into_bytes)]
}

fn within_bounds(holds: fn(&[u8]), bytes: &[u8]) -> Result<(), Failed> {
    let before = Counting::begin();
    holds(bytes);
    let taken = Counting::most_since(before);
    let allowed = MOST_BESIDE + MOST_FOR_EACH * bytes.len();
    if taken <= allowed {
        return Ok(());
    }
    Err(format!("{} bytes of input took {taken} bytes of memory, {allowed} are allowed", bytes.len()).into())
}

fn everything_is_there() -> Result<(), Failed> {
    let names = |folder: &str| -> Result<Vec<String>, Failed> {
        let mut names = Vec::new();
        for entry in fs::read_dir(fuzz().join(folder))? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            names.push(name.trim_end_matches(".rs").to_owned());
        }
        names.sort();
        Ok(names)
    };
    let codecs: Vec<&str> = CODECS.iter().map(|(name, _)| *name).collect();
    let (corpora, fuzzers) = (names("corpus")?, names("fuzz_targets")?);
    if corpora == codecs && fuzzers == codecs {
        return Ok(());
    }
    Err(format!("codecs: {codecs:?}\ncorpora: {corpora:?}\nfuzzers: {fuzzers:?}").into())
}

/// The system's memory, counted.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static COUNTING: Counting = Counting;

impl Counting {
    /// Begins to count; gives what is taken already.
    fn begin() -> usize {
        let now = NOW.load(Ordering::Relaxed);
        MOST.store(now, Ordering::Relaxed);
        now
    }

    /// The most that was taken at one moment beyond that.
    fn most_since(before: usize) -> usize {
        MOST.load(Ordering::Relaxed).saturating_sub(before)
    }
}

#[allow(unsafe_code, reason = "an allocator that counts can be written in no other way; all work is the system's")]
// SAFETY: every call is handed to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        MOST.fetch_max(now, Ordering::Relaxed);
        // SAFETY: the caller keeps the promises of `GlobalAlloc::alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the promises of `GlobalAlloc::dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}
