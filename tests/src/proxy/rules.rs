//! What a proxy does to what passes through it.

use std::time::Duration;

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From the client to the server.
    ToServer,
    /// From the server to the client.
    ToClient,
}

/// Holds for all links, from the moment it is set.
#[derive(Debug, Clone, Default)]
pub(super) struct Rules {
    /// New links are closed as soon as they are made.
    pub(super) refuse: bool,
    /// Nothing is forwarded; what waits goes on when this ends.
    pub(super) frozen: bool,
    /// What is sent now arrives so much later.
    pub(super) delay: Duration,
    /// How much each link forwards, each way.
    pub(super) bytes_per_second: Option<u32>,
}

/// What befell one link.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Fate {
    /// It ends now.
    pub(super) cut: bool,
    /// Nothing is forwarded any more, and both sides believe that the other is there.
    pub(super) half_open: bool,
    /// What goes this way vanishes. It can never come back: the rest of a stream with a hole is noise.
    pub(super) vanishing: [bool; 2],
}

impl Fate {
    pub(super) fn vanishes(&self, way: Way) -> bool {
        self.vanishing[way as usize]
    }
}
