//! Bodies of messages and of dead letters.

use maas_model::message::{DeadLetter, Message};

use super::says_something;

/// A body. What is read and written again reads the same.
pub(super) fn message(bytes: &[u8]) {
    match Message::parse(bytes) {
        Ok(message) => {
            let again = Message::parse(&message.to_body());
            assert_eq!(again.ok(), Some(message));
        }
        Err(error) => says_something(&error.to_string()),
    }
    match DeadLetter::parse(bytes) {
        Ok(letter) => {
            if let Err(error) = letter.to_outgoing() {
                says_something(&error.to_string());
            }
        }
        Err(error) => says_something(&error.to_string()),
    }
}
