//! A reader that gives only so many bytes.

use std::io::{Error, Read, Result};

/// Gives at most a number of bytes, and an error with a reason of its own instead of more.
pub(super) struct Bounded<R> {
    inner: R,
    left: u64,
    reason: String,
}

impl<R: Read> Bounded<R> {
    /// At most `most` bytes of `inner`; `reason` is said of more.
    pub(super) fn new(inner: R, most: u64, reason: impl Into<String>) -> Self {
        Self {
            inner,
            left: most,
            reason: reason.into(),
        }
    }

    /// How many more bytes it would give.
    pub(super) fn left(&self) -> u64 {
        self.left
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let count = self.inner.read(buffer)?;
        match self.left.checked_sub(count as u64) {
            Some(left) => self.left = left,
            None => return Err(Error::other(self.reason.clone())),
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_allowed_is_an_error() {
        let mut read = Vec::new();
        let mut exact = Bounded::new(&b"abc"[..], 3, "too much");
        exact.read_to_end(&mut read).unwrap();
        assert_eq!((read.as_slice(), exact.left()), (&b"abc"[..], 0));
        let error = Bounded::new(&b"abcd"[..], 3, "too much").read_to_end(&mut read);
        assert_eq!(error.unwrap_err().to_string(), "too much");
    }
}
