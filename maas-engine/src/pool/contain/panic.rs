//! Where a panic happened. Its text alone, which is all that a caught panic still has, names no line.

use std::backtrace::Backtrace;
use std::cell::RefCell;
use std::panic::{self, PanicHookInfo};
use std::sync::Once;

thread_local! {
    /// An engine panics on the thread that catches it.
    static LAST: RefCell<Option<(String, Backtrace)>> = const { RefCell::new(None) };
}

/// Lines of a stack that are kept.
const MOST_LINES: usize = 60;

/// Remembers from now on where each panic happened; what was done with panics before is still done.
pub(crate) fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
            let place = info.location().map(ToString::to_string);
            let kept = (place.unwrap_or_default(), Backtrace::force_capture());
            LAST.with(|last| last.replace(Some(kept)));
            before(info);
        }));
    });
}

/// Where the panic happened that was just caught on this thread, and how it came there.
pub(crate) fn caught() -> Option<(String, String)> {
    let (place, stack) = LAST.with(RefCell::take)?;
    Some((place, of_the_engine(&stack.to_string())))
}

/// A stack without the panic's own frames above and without the runtime's below the engine.
fn of_the_engine(stack: &str) -> String {
    let lines: Vec<&str> = stack.lines().collect();
    let above = lines.iter().rposition(|line| {
        line.contains("core::panicking::") || line.contains("std::panicking::begin_panic")
    });
    // The frame and the line that says where it is.
    let from = above.map_or(0, |place| (place + 2).min(lines.len()));
    let below = lines[from..]
        .iter()
        .position(|line| line.contains("AssertUnwindSafe") || line.contains("catch_unwind"));
    let until = below.map_or(lines.len(), |place| from + place);
    let kept = lines[from..until].iter().take(MOST_LINES);
    kept.map(|line| line.trim_end())
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here_it_breaks() {
        panic!("as told");
    }

    #[test]
    fn a_caught_panic_is_told_with_its_place_and_the_function_that_did_it() {
        listen();
        assert!(panic::catch_unwind(here_it_breaks).is_err());
        let (place, stack) = caught().unwrap();
        assert!(place.contains("panic.rs:"), "{place}");
        assert!(stack.contains("here_it_breaks"), "{stack}");
        assert!(!stack.contains("rust_begin_unwind"), "{stack}");
        assert_eq!(caught(), None);
    }
}
