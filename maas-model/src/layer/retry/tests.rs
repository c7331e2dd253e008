use super::super::fake::FakeStore;
use super::*;
use crate::document::Source;
use crate::store::WriteOp;

fn policy(give_up_after: Option<Duration>) -> RetryPolicy {
    RetryPolicy {
        shortest: Duration::from_millis(10),
        longest: Duration::from_secs(1),
        give_up_after,
    }
}

fn retrying(give_up_after: Option<Duration>) -> (Arc<FakeStore>, RetryStore) {
    let fake = Arc::new(FakeStore::default());
    let store = RetryStore::new(fake.clone(), policy(give_up_after));
    (fake, store)
}

fn index() -> IndexName {
    IndexName::new("some-index").unwrap()
}

fn creates(count: usize) -> Vec<WriteAction> {
    (0..count)
        .map(|n| WriteAction {
            index: index(),
            id: DocumentId::new(format!("id-{n}")).unwrap(),
            op: WriteOp::Create(Source::new()),
        })
        .collect()
}

/// The fake gives every document the number in its id as its version.
fn numbers(outcomes: &[WriteOutcome]) -> Vec<u64> {
    outcomes
        .iter()
        .map(|outcome| match outcome {
            WriteOutcome::Created(version) => version.seq_no,
            other => panic!("not created: {other:?}"),
        })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_temporary_error_is_waited_for() {
    let (fake, store) = retrying(None);
    fake.fail_next(50);
    store.refresh(&index()).await.unwrap();
    assert_eq!(fake.refreshes(), 51);
}

#[tokio::test(start_paused = true)]
async fn the_wait_has_a_bound() {
    let (fake, store) = retrying(Some(Duration::from_secs(5)));
    fake.fail_next(usize::MAX);
    let start = Instant::now();
    let error = store.refresh(&index()).await.unwrap_err();
    assert!(error.is_temporary(), "{error}");
    assert!(start.elapsed() <= Duration::from_secs(5));
    assert!(start.elapsed() >= Duration::from_secs(2), "gave up early");
}

#[tokio::test(start_paused = true)]
async fn no_wait_is_longer_than_the_longest_and_its_jitter() {
    let (fake, store) = retrying(None);
    fake.fail_next(100);
    let start = Instant::now();
    store.refresh(&index()).await.unwrap();
    assert!(start.elapsed() <= Duration::from_secs(200));
}

#[tokio::test(start_paused = true)]
async fn a_permanent_error_is_given_at_once() {
    let (fake, store) = retrying(None);
    fake.refuse_next(1);
    let start = Instant::now();
    let error = store.refresh(&index()).await.unwrap_err();
    assert!(matches!(error, StoreError::Refused { .. }), "{error}");
    assert_eq!((fake.refreshes(), start.elapsed()), (1, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn only_busy_documents_are_sent_again() {
    let (fake, store) = retrying(None);
    fake.busy_for("id-1", 1);
    fake.busy_for("id-3", 2);
    let outcomes = store.write(creates(5)).await.unwrap();
    assert_eq!(numbers(&outcomes), [0, 1, 2, 3, 4]);
    assert_eq!(fake.sent(), [5, 2, 1]);
}

#[tokio::test(start_paused = true)]
async fn documents_that_stay_busy_fail_the_call() {
    let (fake, store) = retrying(Some(Duration::from_secs(5)));
    fake.busy_for("id-1", usize::MAX);
    let error = store.write(creates(3)).await.unwrap_err();
    assert!(matches!(error, StoreError::Busy { .. }), "{error}");
    assert!(error.to_string().contains("1 of 3 documents"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_error_between_busy_answers_loses_no_outcome() {
    let (fake, store) = retrying(None);
    fake.busy_for("id-0", 1);
    fake.fail_call(1);
    let outcomes = store.write(creates(2)).await.unwrap();
    assert_eq!(numbers(&outcomes), [0, 1]);
    assert_eq!(fake.sent(), [2, 1, 1]);
}
