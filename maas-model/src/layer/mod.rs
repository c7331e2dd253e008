//! What wraps a store: retry, metrics; and visibility, which shares refreshes.
//!
//! ```text
//! caller -> RetryStore -> MeteredStore -> EmbeddedStore or OpenSearchStore
//! ```

#[cfg(test)]
mod fake;
mod metered;
mod retry;
mod visibility;

pub use metered::MeteredStore;
pub use retry::{RetryPolicy, RetryStore};
pub use visibility::Visibility;
