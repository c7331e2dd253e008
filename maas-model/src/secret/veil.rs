//! Covers secrets in texts that leave the program: logs, errors, reports, dead letters.
//!
//! The last net, and not the first: nobody puts a secret into such a text on purpose. But a library logs what it
//! sends, a server repeats what it was sent, and a plugin formats what it has.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::{OnceLock, PoisonError, RwLock};

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// What stands in the place of a secret.
pub const COVER: &str = "***";

/// Shorter ones are parts of ordinary words: `guest` would take the sense out of more than it protects.
const SHORTEST: usize = 6;
/// Secrets that are known at a time. A configuration has some hundred; what is renewed again and again takes the place
/// of what was not used for longest.
const MOST: usize = 1_000;

/// The secrets that are known, the one that was used last at the end, and all forms in which they may be met.
struct Veil {
    secrets: VecDeque<String>,
    /// Made when it is asked for first: secrets become known by the hundred. None when there are gigabytes of them.
    forms: OnceLock<Option<AhoCorasick>>,
}

static VEIL: RwLock<Veil> = RwLock::new(Veil {
    secrets: VecDeque::new(),
    forms: OnceLock::new(),
});

/// From now on `secret` is covered in every text that goes through [`covered`]. One that is shorter than six
/// characters is not.
pub fn cover(secret: &str) {
    if secret.chars().count() >= SHORTEST {
        VEIL.write()
            .unwrap_or_else(PoisonError::into_inner)
            .add(secret);
    }
}

/// The text without the secrets that are known.
pub fn covered(text: &str) -> Cow<'_, str> {
    let veil = VEIL.read().unwrap_or_else(PoisonError::into_inner);
    let Some(forms) = veil.forms.get_or_init(|| veil.all_forms()) else {
        return Cow::Borrowed(COVER);
    };
    if !forms.is_match(text) {
        return Cow::Borrowed(text);
    }
    let mut covered = String::with_capacity(text.len());
    forms.replace_all_with(text, &mut covered, |_, _, covered| {
        covered.push_str(COVER);
        true
    });
    covered.into()
}

impl Veil {
    fn add(&mut self, secret: &str) {
        let known = self.secrets.iter().position(|known| known == secret);
        if let Some(known) = known.and_then(|at| self.secrets.remove(at)) {
            self.secrets.push_back(known);
            return;
        }
        self.secrets.push_back(secret.to_owned());
        if self.secrets.len() > MOST {
            self.secrets.pop_front();
        }
        self.forms = OnceLock::new();
    }

    fn all_forms(&self) -> Option<AhoCorasick> {
        let forms = self.secrets.iter().flat_map(|secret| forms(secret));
        // One secret may be the start of another.
        let builder = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(forms.filter(|form| !form.is_empty()));
        builder.ok()
    }
}

/// The secret as it is, as URLs, JSON and Rust's `Debug` write it, and in Base64 wherever it begins.
fn forms(secret: &str) -> Vec<String> {
    let bytes = secret.as_bytes();
    let listed: Vec<String> = bytes.iter().map(u8::to_string).collect();
    let json = serde_json::Value::from(secret).to_string();
    let mut forms = vec![
        secret.to_owned(),
        percent(bytes, true),
        percent(bytes, false),
        json.trim_matches('"').to_owned(),
        secret.escape_debug().to_string(),
        // A list of bytes, as `Debug` shows one.
        listed.join(", "),
        hexadecimal(bytes),
    ];
    for shift in 0..3 {
        let form = base64_within(bytes, shift);
        forms.push(form.replace('+', "-").replace('/', "_"));
        forms.push(form);
    }
    forms
}

fn percent(bytes: &[u8], upper: bool) -> String {
    let mut text = String::new();
    for byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                text.push(char::from(*byte));
            }
            byte if upper => text.push_str(&format!("%{byte:02X}")),
            byte => text.push_str(&format!("%{byte:02x}")),
        }
    }
    text
}

/// A text with `%XX` in it as what it stands for.
pub(crate) fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let code = (byte == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        decoded.push(code.unwrap_or(byte));
        at += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The letters of Base64 that are the same whatever stands around, when `shift` bytes of a group of three stand
/// before.
fn base64_within(bytes: &[u8], shift: usize) -> String {
    let text = STANDARD_NO_PAD.encode([&[0; 3][..shift], bytes].concat());
    let from = (shift * 8).div_ceil(6);
    let until = (shift + bytes.len()) * 8 / 6;
    text.get(from..until).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};

    use super::*;

    #[test]
    fn a_secret_is_covered_in_every_form() {
        let secret = "v3il/\u{e9}t\u{e9} \"quoted\"+1";
        cover(secret);
        let mut texts = vec![
            format!("password={secret};"),
            format!("{secret:?}"),
            format!("{:?}", secret.as_bytes()),
            serde_json::json!({ "a": secret }).to_string(),
            format!("https://me:{}@host", percent(secret.as_bytes(), true)),
        ];
        for before in ["", "u", "us", "user:"] {
            for after in ["", ":", "ab"] {
                let whole = format!("{before}{secret}{after}");
                texts.push(format!("Basic {}", STANDARD.encode(&whole)));
                texts.push(URL_SAFE.encode(&whole));
            }
        }
        for text in texts {
            let covered = covered(&text);
            assert!(covered.contains(COVER), "{text}");
            assert!(!covered.contains("quoted"), "{covered}");
        }
    }

    #[test]
    fn other_texts_stay_as_they_are() {
        cover("guest");
        cover("");
        assert!(matches!(
            covered("a guest of the house"),
            Cow::Borrowed("a guest of the house")
        ));
    }

    #[test]
    fn secrets_in_use_are_not_forgotten_for_renewed_ones() {
        let mut veil = Veil {
            secrets: VecDeque::new(),
            forms: OnceLock::new(),
        };
        veil.add("veil-in-use");
        for number in 0..MOST * 2 {
            veil.add(&format!("veil-renewed-{number}"));
            veil.add("veil-in-use");
        }
        assert_eq!(veil.secrets.len(), MOST);
        assert!(veil.secrets.contains(&"veil-in-use".to_owned()));
    }

    #[test]
    fn the_longer_of_two_secrets_is_covered_whole() {
        cover("veil-of-two");
        cover("veil-of-two-and-more");
        assert_eq!(covered("veil-of-two-and-more"), COVER);
    }
}
