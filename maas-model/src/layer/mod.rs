//! What wraps a store or a bus: retry, metrics, visibility.
