#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| grenadier_scenario::codecs::profile(bytes));
