//! Expressions over values: what converters and mapped fields are written in.
