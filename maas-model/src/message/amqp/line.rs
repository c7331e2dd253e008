//! The line of one attempt to connect, so that an attempt that takes too long can be hung up.
//!
//! lapin works on a connection in a thread of its own, which waits without end for a broker that takes
//! the connection and says nothing. Each further attempt would leave another thread and another socket.

use std::io;
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::TcpStream;

/// Shared by the attempt and who may give it up.
#[derive(Clone, Default)]
pub(super) struct Line(Arc<Mutex<Ends>>);

#[derive(Default)]
struct Ends {
    is_hung_up: bool,
    socket: Option<std::net::TcpStream>,
}

impl Line {
    fn ends(&self) -> MutexGuard<'_, Ends> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The attempt has this socket now; an error when it was given up.
    pub(super) fn hold(&self, socket: &TcpStream) -> io::Result<()> {
        let mut ends = self.ends();
        if ends.is_hung_up {
            return Err(io::Error::other("given up"));
        }
        ends.socket = Some(socket.as_fd().try_clone_to_owned()?.into());
        Ok(())
    }

    /// The attempt succeeded: the socket is lapin's alone.
    pub(super) fn let_go(&self) {
        self.ends().socket = None;
    }

    /// Ends the attempt: its socket is closed under it, and it gets no other.
    pub(super) fn hang_up(&self) {
        let mut ends = self.ends();
        ends.is_hung_up = true;
        if let Some(socket) = ends.socket.take() {
            // One that is closed already is what is wanted.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}
