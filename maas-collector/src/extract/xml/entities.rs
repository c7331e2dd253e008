//! References: `&amp;`, `&#233;`, and the entities that the file itself declares.

use std::borrow::Cow;
use std::collections::HashMap;

/// Entities within entities.
const DEEPEST: usize = 16;
/// What all references of a file to declared entities may become together.
const LONGEST_EXPANSION: usize = 8 << 20;

/// What the file declares.
#[derive(Debug, Default)]
pub(super) struct Entities {
    declared: HashMap<String, String>,
    expanded: usize,
}

impl Entities {
    /// Reads the declarations out of a DOCTYPE. Those of other files are left out: nothing is fetched.
    pub(super) fn declare(&mut self, doctype: &str) {
        let mut rest = doctype;
        while let Some(at) = rest.find("<!") {
            rest = &rest[at..];
            if rest.starts_with("<!--") {
                let end = rest.find("-->").map_or(rest.len(), |end| end + 3);
                rest = &rest[end..];
                continue;
            }
            let declaration = rest.strip_prefix("<!ENTITY").and_then(declaration);
            match declaration {
                Some((name, value, after)) => {
                    // The first declaration of a name holds.
                    let known = self.declared.entry(name.to_owned());
                    known.or_insert_with(|| value.to_owned());
                    rest = after;
                }
                None => rest = &rest[2..],
            }
        }
    }

    /// Adds what `&name;` stands for to `out`.
    pub(super) fn resolve(&mut self, name: &str, out: &mut String) -> Result<(), String> {
        self.expand(name, out, 0)
    }

    fn expand(&mut self, name: &str, out: &mut String, depth: usize) -> Result<(), String> {
        if let Some(plain) = predefined(name)? {
            out.push(plain);
            return Ok(());
        }
        if depth == DEEPEST {
            return Err("its entities refer to each other too deep".into());
        }
        let Some(value) = self.declared.get(name) else {
            return Err(format!("the entity `{name}` is not declared"));
        };
        if value.contains('<') {
            let reason = "holds elements, which is not supported";
            return Err(format!("the entity `{name}` {reason}"));
        }
        self.expanded += value.len() + 1;
        if self.expanded > LONGEST_EXPANSION {
            return Err("its entities become more than 8 MiB of text".into());
        }
        let value = value.clone();
        self.expand_text(&value, out, depth + 1)
    }

    fn expand_text(&mut self, text: &str, out: &mut String, depth: usize) -> Result<(), String> {
        let mut rest = text;
        while let Some(at) = rest.find('&') {
            out.push_str(&rest[..at]);
            let end = rest[at..].find(';').ok_or("an `&` without `;`")?;
            self.expand(&rest[at + 1..at + end], out, depth)?;
            rest = &rest[at + end + 1..];
        }
        out.push_str(rest);
        Ok(())
    }

    /// The value of an attribute: references resolved, ends of line and tabs as blanks.
    pub(super) fn attribute<'a>(&mut self, raw: &'a str) -> Result<Cow<'a, str>, String> {
        if raw.contains('<') {
            return Err("an attribute holds `<`".into());
        }
        if !raw.contains(['&', '\t', '\n', '\r']) {
            return Ok(Cow::Borrowed(raw));
        }
        let blanks = unified_lines(raw).replace(['\t', '\n'], " ");
        let mut value = String::with_capacity(raw.len());
        self.expand_text(&blanks, &mut value, 0)?;
        Ok(Cow::Owned(value))
    }
}

/// Ends of line as XML has them.
pub(super) fn unified_lines(text: &str) -> Cow<'_, str> {
    if text.contains('\r') {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(text)
    }
}

/// ` name "value">...`: name, value, and what follows the value.
fn declaration(text: &str) -> Option<(&str, &str, &str)> {
    let text = text.strip_prefix([' ', '\t', '\n', '\r'])?.trim_start();
    let end = text.find(|c: char| c.is_ascii_whitespace())?;
    let (name, rest) = text.split_at(end);
    let rest = rest.trim_start();
    // A word instead of a quote: it lies in another file, or is a parameter entity.
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let end = rest[1..].find(quote)? + 1;
    Some((name, &rest[1..end], &rest[end + 1..]))
}

fn predefined(name: &str) -> Result<Option<char>, String> {
    let Some(number) = name.strip_prefix('#') else {
        return Ok(match name {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => None,
        });
    };
    let code = match number.strip_prefix('x') {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => number.parse(),
    };
    let found = code.ok().and_then(char::from_u32).filter(|c| {
        let text = *c >= ' ' || matches!(c, '\t' | '\n' | '\r');
        text && !matches!(c, '\u{fffe}' | '\u{ffff}')
    });
    found
        .map(Some)
        .ok_or_else(|| format!("`&{name};` is no character"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(doctype: &str, name: &str) -> Result<String, String> {
        let mut entities = Entities::default();
        entities.declare(doctype);
        let mut out = String::new();
        entities.resolve(name, &mut out).map(|()| out)
    }

    #[test]
    fn references_are_resolved() {
        let doctype = "r [<!-- <!ENTITY e 'no'> --><!ENTITY e \"ent&f;\"> <!ENTITY f '&#233;'>]";
        assert_eq!(resolved(doctype, "e").as_deref(), Ok("ent\u{e9}"));
        assert_eq!(resolved("", "#x41").as_deref(), Ok("A"));
        for (doctype, name) in [
            ("", "e"),
            ("", "#0"),
            ("r [<!ENTITY e SYSTEM 'file:///etc/passwd'>]", "e"),
            ("r [<!ENTITY e '<b/>'>]", "e"),
            ("r [<!ENTITY e '&e;'>]", "e"),
        ] {
            assert!(resolved(doctype, name).is_err(), "{doctype} {name}");
        }
    }

    #[test]
    fn a_bomb_does_not_go_off() {
        let mut doctype = String::from("r [<!ENTITY e0 'ha'>");
        for level in 1..16 {
            let ten = format!("&e{};", level - 1).repeat(10);
            doctype.push_str(&format!("<!ENTITY e{level} '{ten}'>"));
        }
        assert!(resolved(&doctype, "e15").unwrap_err().contains("8 MiB"));
    }
}
