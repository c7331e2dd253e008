//! Secrets that are looked for: each has a place where it is put in, and must be met nowhere else.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use maas_tests::random::Random;

/// The secrets, by the places they are put into.
pub(super) struct Canaries {
    random: Random,
    by_place: BTreeMap<&'static str, Canary>,
}

struct Canary {
    text: String,
    /// All forms of the part of it that is the same in every spelling.
    forms: Vec<(&'static str, String)>,
}

impl Canaries {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            random: Random::new(seed ^ 0x5ec2_e75e),
            by_place: BTreeMap::new(),
        }
    }

    /// The secret for a place; made when it is first asked for.
    pub(super) fn of(&mut self, place: &'static str) -> String {
        let random = &mut self.random;
        let canary = self
            .by_place
            .entry(place)
            .or_insert_with(|| Canary::new(&random.hex()[..16]));
        canary.text.clone()
    }

    /// The same as it stands in a URL.
    pub(super) fn encoded(&mut self, place: &'static str) -> String {
        self.of(place).replace('/', "%2F").replace('+', "%2B")
    }

    pub(super) fn count(&self) -> usize {
        self.by_place.len()
    }

    /// Which of them are met, and how they are spelt.
    pub(super) fn met_in(&self, bytes: &[u8]) -> Vec<String> {
        let text = String::from_utf8_lossy(bytes);
        let met = self.by_place.iter().filter_map(|(place, canary)| {
            let mut forms = canary.forms.iter();
            let (form, _) = forms.find(|(_, needle)| text.contains(needle))?;
            Some(format!("`{place}` ({form})"))
        });
        met.collect()
    }
}

impl Canary {
    /// `core`: hexadecimal digits, which no encoding of URLs or JSON changes.
    fn new(core: &str) -> Self {
        let bytes = core.as_bytes();
        let listed: Vec<String> = bytes.iter().map(u8::to_string).collect();
        let hexadecimal: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut forms = vec![
            ("plain", core.to_owned()),
            ("plain", core.to_uppercase()),
            ("bytes", listed.join(", ")),
            ("bytes", listed.join(",")),
            ("hexadecimal", hexadecimal),
        ];
        for shift in 0..3 {
            let whole = STANDARD_NO_PAD.encode([&b"xyz"[..shift], bytes].concat());
            // The letters that are made of this alone.
            let until = (shift + bytes.len()) * 8 / 6;
            forms.push(("base64", whole[(shift * 8).div_ceil(6)..until].to_owned()));
        }
        Self {
            text: format!("K/{core}+k"),
            forms,
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn a_secret_is_met_however_it_is_spelt() {
        let mut canaries = Canaries::new(1);
        let secret = canaries.of("here");
        let encoded = canaries.encoded("here");
        for text in [
            secret.clone(),
            encoded,
            format!("{:?}", secret.as_bytes()),
            format!("Basic {}", STANDARD.encode(format!("maas:{secret}"))),
            STANDARD.encode(format!("a{secret}b")),
            STANDARD.encode(format!("\0user\0{secret}")),
        ] {
            assert_eq!(canaries.met_in(text.as_bytes()).len(), 1, "{text}");
        }
        assert!(canaries.met_in(b"nothing of the kind").is_empty());
    }
}
