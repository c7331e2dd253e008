//! A name cut by character positions.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use super::iso;

/// A text whose positions count characters. Cuts beyond its end are shorter or empty.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text<'a> {
    text: &'a str,
    ascii: bool,
}

impl<'a> Text<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            ascii: text.is_ascii(),
        }
    }

    pub(super) fn as_str(self) -> &'a str {
        self.text
    }

    /// Characters `from..to`.
    pub(super) fn slice(self, from: usize, to: usize) -> &'a str {
        let (start, end) = (self.byte(from), self.byte(to));
        self.text.get(start..end).unwrap_or_default()
    }

    /// Everything from character `from` on.
    pub(super) fn from(self, from: usize) -> &'a str {
        self.text.get(self.byte(from)..).unwrap_or_default()
    }

    /// Character `position`.
    pub(super) fn at(self, position: usize) -> Result<&'a str, String> {
        match self.slice(position, position + 1) {
            "" => Err(format!("it is shorter than {} characters", position + 1)),
            character => Ok(character),
        }
    }

    /// The part `from..to` as it is stored in a parsed name.
    pub(super) fn part(self, from: usize, to: usize) -> Option<Cow<'a, str>> {
        Some(Cow::Borrowed(self.slice(from, to)))
    }

    /// The date that stands in the fifteen characters from `from` on.
    pub(super) fn date(self, from: usize) -> Result<DateTime<Utc>, String> {
        iso::date(self.slice(from, from + 15))
    }

    fn byte(self, position: usize) -> usize {
        if self.ascii {
            return position.min(self.text.len());
        }
        self.text
            .char_indices()
            .nth(position)
            .map_or(self.text.len(), |(byte, _)| byte)
    }
}

/// The token behind the token `AUX`, of which auxiliary files take their type.
pub(super) fn auxiliary_type(name: &str) -> Result<Cow<'static, str>, String> {
    let mut tokens = name.split('_').skip_while(|token| *token != "AUX");
    tokens.next().ok_or("it has no part `AUX` of its own")?;
    let kind = tokens.next().ok_or("nothing follows its part `AUX`")?;
    Ok(Cow::Owned(format!("AUX_{kind}")))
}

/// Whether `text` has the shape of `pattern`, in which `9` stands for a digit, `W` for a letter, digit
/// or underscore, `X` for an upper-case letter or digit, `?` for any character, and others for themselves.
pub(super) fn has_shape(text: &str, pattern: &str) -> bool {
    let mut characters = text.chars();
    pattern.chars().all(|shape| {
        characters.next().is_some_and(|c| match shape {
            '9' => c.is_ascii_digit(),
            'W' => c.is_ascii_alphanumeric() || c == '_',
            'X' => c.is_ascii_uppercase() || c.is_ascii_digit(),
            '?' => c != '\n',
            literal => c == literal,
        })
    }) && characters.next().is_none()
}
