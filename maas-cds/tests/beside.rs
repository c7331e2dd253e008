//! Other commands beside a `maas run` on the same folder, and how that run ends.
#![allow(clippy::unwrap_used)] // Helpers of tests, where a failure is to stop the test.

mod support;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use predicates::str::contains;
use serde_json::Value;

use support::{maas, pipeline, program};

/// Far beyond what anything here takes on a loaded machine.
const DEADLINE: Duration = Duration::from_secs(60);
/// A stopped run hands back what is in hand after 20 s and ends 5 s later at the latest.
const GRACE: Duration = Duration::from_secs(25);

/// Asks again and again until there is an answer.
fn eventually<T>(what: &str, limit: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(began.elapsed() < limit, "never: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A `maas run` in the background; killed when the test fails.
struct Running {
    process: Child,
    log: PathBuf,
}

impl Running {
    fn start(folder: &Path, log: &str) -> Self {
        let log = folder.join(log);
        let process = program(folder)
            .arg("run")
            .arg(folder.join("pipeline.yaml"))
            .env("MAAS_LOG", "maas_engine=debug,info")
            .stdout(File::create(folder.join("summary.txt")).unwrap())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        Self { process, log }
    }

    /// Waits until the pool has taken so many messages.
    fn has_taken(&self, messages: usize) {
        eventually("the message is taken", DEADLINE, || {
            let log = std::fs::read_to_string(&self.log).unwrap();
            (log.matches("message taken").count() >= messages).then_some(())
        });
    }

    /// Tells it to stop as a platform does.
    fn terminate(&mut self) -> ExitStatus {
        let told = Command::new("sh")
            .args(["-c", &format!("kill -TERM {}", self.process.id())])
            .status();
        assert!(told.unwrap().success());
        eventually("the run ends", GRACE, || self.process.try_wait().unwrap())
    }

    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Already ended when the test went well.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A folder with a pipeline and a file of two good records and a broken one.
fn prepared() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    pipeline(folder.path());
    let csv = "station,value\nA,1\nB,many\nC,3\n";
    std::fs::write(folder.path().join("inbox/a.csv"), csv).unwrap();
    folder
}

/// Publishes one message of one document by hand.
fn publish(folder: &Path) {
    let message = folder.join("message.json");
    std::fs::write(
        &message,
        r#"{"document_class":"Reading","document_ids":["A"]}"#,
    )
    .unwrap();
    maas(folder)
        .args([
            "queue",
            "publish",
            "new.reading",
            "--exchange",
            "collect-exchange",
        ])
        .arg(message)
        .assert()
        .success()
        .stdout(contains("published"));
}

/// The row of the queue `readings`.
fn queue(folder: &Path) -> Value {
    let listed = maas(folder)
        .args(["queue", "list", "readings", "--output", "jsonl"])
        .assert()
        .success();
    serde_json::from_slice(&listed.get_output().stdout).unwrap()
}

#[test]
fn commands_work_beside_a_run_and_a_signal_ends_it() {
    let folder = prepared();
    let folder = folder.path();
    let mut run = Running::start(folder, "run.log");
    run.has_taken(1);

    maas(folder)
        .args(["query", "reading", "--count"])
        .assert()
        .success()
        .stdout("2\n");
    maas(folder)
        .args(["dead", "list", "--output", "jsonl"])
        .assert()
        .success()
        .stdout(contains("a.csv"));
    maas(folder)
        .args(["queue", "peek", "maas.dead.readings"])
        .assert()
        .success()
        .stdout(contains("many"));
    publish(folder);
    run.has_taken(2);
    eventually("the queue is empty", DEADLINE, || {
        let queue = queue(folder);
        (queue["ready"] == 0 && queue["unsettled"] == 0).then_some(())
    });
    assert_eq!(queue(folder)["consumers"], 1);
    assert!(run.process.try_wait().unwrap().is_none());

    assert_eq!(run.terminate().code(), Some(0));
    assert_eq!(queue(folder)["consumers"], 0);
}

#[test]
fn after_a_kill_the_next_run_goes_on() {
    let folder = prepared();
    let folder = folder.path();
    let mut killed = Running::start(folder, "killed.log");
    killed.has_taken(1);
    killed.kill();
    publish(folder);
    assert!(queue(folder)["ready"].as_u64().unwrap() >= 1);

    let mut next = Running::start(folder, "next.log");
    next.has_taken(1);
    eventually("nothing is in hand of the dead", DEADLINE, || {
        let queue = queue(folder);
        (queue["ready"] == 0 && queue["unsettled"] == 0).then_some(())
    });
    assert_eq!(queue(folder)["consumers"], 1);
    assert_eq!(next.terminate().code(), Some(0));
    maas(folder)
        .args(["query", "reading", "--count"])
        .assert()
        .success()
        .stdout("2\n");
}
