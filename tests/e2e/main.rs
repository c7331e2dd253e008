//! The whole chain, as its user runs it. On real servers, too, with the feature `services`.

// What clippy allows in functions marked `#[test]` goes for their helpers too.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

mod chain;
mod killed;

#[cfg(feature = "services")]
pub(crate) use real::Real;

#[cfg(feature = "services")]
mod real {
    //! A really started pair.

    use std::path::Path;

    use maas_tests::program::Pair;
    use maas_tests::server::{OpenSearch, shared_rabbitmq};

    /// An OpenSearch of one test alone (its indices are named as in the pipeline) and a virtual host of
    /// the shared RabbitMQ.
    pub(crate) struct Real {
        pub(crate) pair: Pair,
        _store: OpenSearch,
    }

    impl Real {
        pub(crate) async fn start(data: &Path) -> Self {
            let store = OpenSearch::start().await.unwrap();
            let bus = shared_rabbitmq().await.virtual_host().await.unwrap();
            let pair = Pair {
                store: store.url(),
                bus,
                data: data.to_path_buf(),
            };
            Self {
                pair,
                _store: store,
            }
        }
    }
}
