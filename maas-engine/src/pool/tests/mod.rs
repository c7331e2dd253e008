//! The pool on fakes that fail on command.
