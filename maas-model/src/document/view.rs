//! Typed access to the fields of a document, for engines.
