//! Contracts and fixtures for every store and bus.
