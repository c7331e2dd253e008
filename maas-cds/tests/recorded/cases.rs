//! Where the recorded cases are, and how a test counts them.

use std::path::PathBuf;

/// A file or folder of the recorded cases. `None`, said on the terminal, where they are not at hand; on
/// the build server they must be.
pub(crate) fn path(name: &str) -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/cases");
    at_hand("MAAS_CASES", beside, name)
}

/// The configuration of the original, on the same terms.
pub(crate) fn original() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/original");
    at_hand("MAAS_ORIGINAL", beside, "")
}

fn at_hand(variable: &str, beside: &str, name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os(variable).map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let path = folder.join(name);
    if path.exists() {
        return Some(path);
    }
    let path = path.display();
    assert!(
        std::env::var_os("CI").is_none_or(|ci| ci != "true"),
        "nothing recorded at `{path}`; set {variable}"
    );
    println!("nothing recorded at `{path}`, nothing was tested");
    None
}

/// The content of a JSON file.
pub(crate) fn json(path: &std::path::Path) -> serde_json::Value {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Passed and failed cases of one test.
#[derive(Default)]
pub(crate) struct Tally {
    passed: usize,
    failed: Vec<String>,
}

impl Tally {
    /// Counts one case; `problems` say what differs.
    pub(crate) fn case(&mut self, name: &str, problems: &[String]) {
        if problems.is_empty() {
            self.passed += 1;
        } else {
            self.failed
                .push(format!("{name}:\n    {}", problems.join("\n    ")));
        }
    }

    /// Prints the count, and fails the test if a case failed or none was run.
    pub(crate) fn finish(self) {
        let passed = self.passed;
        self.finish_even_if_none();
        assert!(passed > 0, "no case was run");
    }

    /// Prints the count, and fails the test if a case failed.
    pub(crate) fn finish_even_if_none(self) {
        for failure in &self.failed {
            println!("{failure}");
        }
        println!("{} passed, {} failed", self.passed, self.failed.len());
        assert!(self.failed.is_empty(), "{} cases failed", self.failed.len());
    }
}
