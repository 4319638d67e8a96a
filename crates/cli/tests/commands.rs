//! Runs the commands of `tests/cmd` and compares what they print. `TRYCMD=overwrite` writes anew.

#[test]
fn help_usage_and_errors() {
    trycmd::TestCases::new()
        .env("LANG", "C")
        .env("ABENG_SOCKET", "")
        .env("COLUMNS", "80")
        .case("tests/cmd/*.trycmd");
}
