#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    (abeng_fuzz_targets::target("engine").run)(data);
});
