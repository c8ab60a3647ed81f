#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| selvedge_transcode_fuzz::wire::run(input));
