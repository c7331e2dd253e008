//! Where the configuration of the original is.

use std::path::PathBuf;

/// Its folder. `None`, said on the terminal, where it is not at hand; on the build server it must be.
pub(crate) fn folder() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/original");
    let folder = std::env::var_os("MAAS_ORIGINAL");
    let folder = folder.map_or_else(|| PathBuf::from(beside), PathBuf::from);
    if folder.exists() {
        return Some(folder);
    }
    let shown = folder.display();
    assert!(
        std::env::var_os("CI").is_none_or(|ci| ci != "true"),
        "no configuration of the original at `{shown}`; set MAAS_ORIGINAL"
    );
    println!("no configuration of the original at `{shown}`, nothing was tested");
    None
}
