//! What the tests of the program share: the program in a data folder of its own, and a small pipeline.
#![allow(clippy::unwrap_used)] // Helpers of tests, where a failure is to stop the test.
#![allow(dead_code)] // Not every test needs all of it.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The program with a data folder of its own and nothing from the environment.
pub(crate) fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_maas"));
    for name in [
        "MAAS_PIPELINE",
        "MAAS_INBOX",
        "MAAS_STORE",
        "MAAS_BUS",
        "MAAS_LOG",
        "MAAS_DATA_DIR",
        "MAAS_LEGACY",
        "CREDENTIAL_FILE",
    ] {
        command.env_remove(name);
    }
    command.arg("--data-dir").arg(folder.join("data"));
    command
}

/// The same, to be run to its end and judged.
pub(crate) fn maas(folder: &Path) -> assert_cmd::Command {
    assert_cmd::Command::from_std(program(folder))
}

/// A small pipeline beside its file; returns its path.
pub(crate) fn pipeline(folder: &Path) -> PathBuf {
    let text = r#"
interfaces:
  - name: readings
    collect: { file: { paths: [inbox], pattern: "*.csv", done: keep } }
    extract: { csv: { fields: { station: station, value: value } } }
    store: { model: Reading, id: [station] }
    announce: { documents: new.reading, chunk_size: 2 }
models:
  Reading:
    index: reading
    raw: true
    fields: { station: keyword, value: long }
pools:
  - name: sink
    queues:
      - name: readings
        from: { collect-exchange: [new.reading] }
        engines: [SINK]
"#;
    std::fs::create_dir_all(folder.join("inbox")).unwrap();
    let path = folder.join("pipeline.yaml");
    std::fs::write(&path, text).unwrap();
    path
}
