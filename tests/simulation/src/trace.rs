//! What happened, in order: as a digest, and as text when somebody wants to read it.

use std::fmt;

/// FNV-1a over the text of all events.
#[derive(Debug)]
pub struct Trace {
    digest: u64,
    events: u64,
    lines: Option<Vec<String>>,
}

impl Trace {
    /// An empty one; `kept`: its text can be read.
    pub fn new(kept: bool) -> Self {
        Self {
            digest: 0xcbf2_9ce4_8422_2325,
            events: 0,
            lines: kept.then(Vec::new),
        }
    }

    /// Adds an event.
    pub fn event(&mut self, millis: u64, what: fmt::Arguments<'_>) {
        self.events += 1;
        // Hashing never fails.
        let _ = fmt::write(
            &mut Hasher(&mut self.digest),
            format_args!("{millis} {what}\n"),
        );
        if let Some(lines) = &mut self.lines {
            lines.push(format!("{:>9.3} {what}", millis as f64 / 1_000.0));
        }
    }

    /// The same for the same events only.
    pub fn digest(&self) -> u64 {
        self.digest
    }

    /// How many there were.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// The text, if it was kept.
    pub fn take_lines(&mut self) -> Vec<String> {
        self.lines.take().unwrap_or_default()
    }
}

struct Hasher<'a>(&'a mut u64);

impl fmt::Write for Hasher<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            *self.0 = (*self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        Ok(())
    }
}
