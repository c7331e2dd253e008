//! What an engine may read while it works on a message.

/// The store, the models, the clock, and the session that the engines of one message share.
#[derive(Debug)]
pub struct EngineContext<'a> {
    clock: &'a maas_model::clock::Clock,
}
