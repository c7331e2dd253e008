//! The process is killed at random instants; what it left is taken up by the next one.

use std::time::Duration;

use maas_tests::chain::{Chain, Traces};
use maas_tests::program::Pair;
use maas_tests::sample::Settings;

use crate::chain::{ALIASES, NAME, similar};

/// How often the process is killed before it may finish.
const KILLS: usize = 8;

/// Large enough that a run takes longer than the longest wait before a kill.
fn settings() -> Settings {
    Settings {
        products: 3_000,
        page_size: 100,
        variety: false,
        ..Settings::default()
    }
}

/// Kills at instants that the seed decides, and prints it, so that a failure can be had again.
async fn survive(folder: &std::path::Path, pair: &Pair, seed: u64) -> Traces {
    let chain = Chain::copy(NAME, folder).unwrap();
    chain.fill(&settings()).unwrap();
    let mut state = seed;
    for _ in 0..KILLS {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let wait = Duration::from_millis(50 + (state >> 33) % 900);
        println!("seed {seed}: killed after {wait:?}");
        let mut command = pair.command(&chain.arguments()).unwrap();
        let mut process = command.env("MAAS_INBOX", &chain.inbox).spawn().unwrap();
        tokio::time::sleep(wait).await;
        process.kill().unwrap();
        process.wait().unwrap();
    }
    chain.run(pair).unwrap();
    chain.traces(pair, &ALIASES).await.unwrap()
}

async fn undisturbed(folder: &std::path::Path) -> Traces {
    let chain = Chain::copy(NAME, folder).unwrap();
    chain.fill(&settings()).unwrap();
    let pair = Pair::embedded(&folder.join("data"));
    chain.run(&pair).unwrap();
    chain.traces(&pair, &ALIASES).await.unwrap()
}

#[tokio::test]
async fn nothing_is_lost_on_the_embedded_pair() {
    let (calm, rough) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let expected = undisturbed(calm.path()).await;
    let pair = Pair::embedded(&rough.path().join("data"));
    similar(&expected, &survive(rough.path(), &pair, seed()).await);
}

#[cfg(feature = "services")]
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_on_the_real_pair() {
    let (calm, rough) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let expected = undisturbed(calm.path()).await;
    let real = crate::Real::start(&rough.path().join("data")).await;
    similar(&expected, &survive(rough.path(), &real.pair, seed()).await);
}

/// `MAAS_SEED`, or another one every time.
fn seed() -> u64 {
    match std::env::var("MAAS_SEED") {
        Ok(seed) => seed.parse().unwrap(),
        Err(_) => uuid::Uuid::new_v4().as_u64_pair().0,
    }
}
