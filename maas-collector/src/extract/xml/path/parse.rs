//! Reads the text of a path.

use super::{Namespaces, Path, PathError, Predicate, Step, Test, Wanted};
use crate::extract::xml::names::{NameId, Names, XML_NAMESPACE, is_name};

/// More steps than anybody writes.
const MOST_STEPS: usize = 64;

pub(super) fn parse(
    text: &str,
    namespaces: &Namespaces,
    names: &mut Names,
) -> Result<Path, PathError> {
    let mut parser = Parser {
        chars: text.chars().collect(),
        at: 0,
        namespaces,
        names,
    };
    let steps = parser.path().map_err(|reason| PathError {
        position: parser.at.min(parser.chars.len()),
        reason,
    })?;
    Ok(Path { steps })
}

struct Parser<'a> {
    chars: Vec<char>,
    at: usize,
    namespaces: &'a Namespaces,
    names: &'a mut Names,
}

impl Parser<'_> {
    fn path(&mut self) -> Result<Vec<Step>, String> {
        if self.chars.is_empty() {
            return Err("the path is empty; `.` is the element itself".into());
        }
        if self.sees('/') {
            return Err("a path starts below the element: `a/b`, or `.//b` at any depth".into());
        }
        let mut steps = Vec::new();
        loop {
            self.step(&mut steps)?;
            while self.takes('[') {
                let predicate = self.predicate()?;
                steps.push(Step::Filter(predicate));
            }
            if steps.len() > MOST_STEPS {
                return Err(format!("the path has more than {MOST_STEPS} steps"));
            }
            if self.at == self.chars.len() {
                return Ok(steps);
            }
            if !self.sees('/') {
                return Err(format!("`/` is missing before `{}`", self.chars[self.at]));
            }
        }
    }

    /// One step, with the `/` before it.
    fn step(&mut self, steps: &mut Vec<Step>) -> Result<(), String> {
        let apart = self.takes('/');
        let descends = apart && self.takes('/');
        let step = match self.chars.get(self.at) {
            // A `/` at the end stands for all children.
            None => Step::Child(Test::Any),
            Some('@') => {
                let reason = "an attribute is no step";
                return Err(format!("{reason}: `{{ path: ..., attr: name }}` reads one"));
            }
            Some('.') if self.sees_next('.') => {
                self.at += 2;
                Step::Parent
            }
            Some('.') => {
                self.at += 1;
                Step::Itself
            }
            Some(_) => Step::Child(self.test()?),
        };
        steps.push(match step {
            Step::Child(test) if descends => Step::Descendant(test),
            _ if descends => return Err("after `//` comes a name or `*`".into()),
            step => step,
        });
        Ok(())
    }

    /// What follows `[`.
    fn predicate(&mut self) -> Result<Predicate, String> {
        self.skip_blanks();
        let predicate = if self.takes('@') {
            let name = self.attribute()?;
            match self.wanted()? {
                Some(wanted) => Predicate::Attribute(name, wanted),
                None => Predicate::HasAttribute(name),
            }
        } else if self.takes('.') {
            let wanted = self.wanted()?;
            Predicate::Text(wanted.ok_or("`='text'` is missing behind `.`")?)
        } else {
            self.child_or_position()?
        };
        self.skip_blanks();
        if !self.takes(']') {
            return Err("`]` is missing: `and`, `or` and functions are not supported".into());
        }
        Ok(predicate)
    }

    fn child_or_position(&mut self) -> Result<Predicate, String> {
        let start = self.at;
        let word: String = self.chars[start..self.word_end(start)].iter().collect();
        if word == "last" {
            self.at = self.word_end(start);
            return self.behind_last();
        }
        if let Ok(number) = word.parse::<i64>() {
            if number < 1 {
                return Err("positions count from 1; `last()` is the last".into());
            }
            self.at = self.word_end(start);
            return Ok(Predicate::Position(number - 1));
        }
        let test = self.test()?;
        Ok(match self.wanted()? {
            Some(wanted) => Predicate::Child(test, wanted),
            None => Predicate::HasChild(test),
        })
    }

    /// What follows `last`.
    fn behind_last(&mut self) -> Result<Predicate, String> {
        if !(self.takes('(') && self.takes(')')) {
            return Err("`()` is missing behind `last`".into());
        }
        self.skip_blanks();
        if !self.takes('-') {
            return Ok(Predicate::Position(-1));
        }
        self.skip_blanks();
        let end = self.word_end(self.at);
        let word: String = self.chars[self.at..end].iter().collect();
        let back = word.parse::<u32>().ok().filter(|back| *back > 0);
        let back = back.ok_or("a number is missing behind `last()-`")?;
        self.at = end;
        Ok(Predicate::Position(-1 - i64::from(back)))
    }

    /// `='text'`, `!='text'`, or nothing.
    fn wanted(&mut self) -> Result<Option<Wanted>, String> {
        self.skip_blanks();
        let equal = !self.takes('!');
        if !self.takes('=') {
            return match equal {
                true => Ok(None),
                false => Err("`=` is missing behind `!`".into()),
            };
        }
        self.skip_blanks();
        let quote = self.chars.get(self.at).copied();
        let quote = quote.filter(|c| matches!(c, '\'' | '"'));
        let quote = quote.ok_or("a text in quotes is missing behind `=`")?;
        let rest = &self.chars[self.at + 1..];
        let length = rest.iter().position(|c| *c == quote);
        let length = length.ok_or("a quote has no end")?;
        let text = rest[..length].iter().collect();
        self.at += length + 2;
        Ok(Some(Wanted { text, equal }))
    }

    /// A name or `*`, with or without namespace.
    fn test(&mut self) -> Result<Test, String> {
        let (namespace, word) = self.name()?;
        if self.sees('(') {
            return Err("functions are not supported; a path gives the text by itself".into());
        }
        Ok(match (namespace, word.as_str()) {
            (Some(any), "*") if any == "*" => Test::Any,
            (Some(any), local) if any == "*" => Test::Local(local.to_owned()),
            (Some(namespace), "*") => Test::Namespace(namespace),
            (None, "*") => Test::Any,
            (Some(namespace), local) => {
                Test::Name(self.names.number(&in_namespace(&namespace, local))?)
            }
            (None, local) => match local.split_once(':') {
                Some((prefix, local)) => Test::Name(self.prefixed(prefix, local)?),
                None => {
                    let namespace = self.namespaces.get("").map_or("", String::as_str);
                    Test::Name(self.names.number(&in_namespace(namespace, local))?)
                }
            },
        })
    }

    /// The name of an attribute: without a prefix it has no namespace.
    pub(super) fn attribute(&mut self) -> Result<NameId, String> {
        let (namespace, word) = self.name()?;
        match (namespace, word.split_once(':')) {
            (Some(namespace), _) => self.names.number(&in_namespace(&namespace, &word)),
            (None, Some((prefix, local))) => self.prefixed(prefix, local),
            (None, None) => self.names.number(&word),
        }
    }

    fn prefixed(&mut self, prefix: &str, local: &str) -> Result<NameId, String> {
        let namespace = match self.namespaces.get(prefix) {
            Some(namespace) => namespace,
            None if prefix == "xml" => XML_NAMESPACE,
            None => return Err(format!("`namespaces` has no prefix `{prefix}`")),
        };
        self.names.number(&in_namespace(namespace, local))
    }

    /// `{namespace}word`, `word`.
    fn name(&mut self) -> Result<(Option<String>, String), String> {
        let mut start = self.at;
        let mut namespace = None;
        if self.sees('{') {
            let rest = &self.chars[start + 1..];
            let length = rest.iter().position(|c| *c == '}');
            let length = length.ok_or("`}` is missing behind the namespace")?;
            namespace = Some(rest[..length].iter().collect());
            start += length + 2;
        }
        let end = self.word_end(start);
        if start == end {
            return Err(match self.chars.get(end) {
                Some(c) => format!("a name is wanted instead of `{c}`"),
                None => "a name is missing at the end".into(),
            });
        }
        let word: String = self.chars[start..end].iter().collect();
        if word != "*" && !is_name(&word) {
            return Err(format!("`{word}` is no name"));
        }
        self.at = end;
        Ok((namespace, word))
    }

    /// Where the word that starts at `start` ends.
    fn word_end(&self, start: usize) -> usize {
        let ends = |c: &char| "/[]()@!=".contains(*c) || c.is_whitespace();
        let rest = self.chars.get(start..).unwrap_or_default();
        start + rest.iter().position(ends).unwrap_or(rest.len())
    }

    fn sees(&self, c: char) -> bool {
        self.chars.get(self.at) == Some(&c)
    }

    fn sees_next(&self, c: char) -> bool {
        self.chars.get(self.at + 1) == Some(&c)
    }

    fn takes(&mut self, c: char) -> bool {
        let sees = self.sees(c);
        self.at += usize::from(sees);
        sees
    }

    fn skip_blanks(&mut self) {
        let rest = &self.chars[self.at..];
        self.at += rest.iter().take_while(|c| c.is_whitespace()).count();
    }
}

fn in_namespace(namespace: &str, local: &str) -> String {
    match namespace {
        "" => local.to_owned(),
        namespace => format!("{{{namespace}}}{local}"),
    }
}

/// The name of an attribute that stands alone: `name`, `prefix:name`, `{namespace}name`.
pub(in crate::extract::xml) fn attribute(
    text: &str,
    namespaces: &Namespaces,
    names: &mut Names,
) -> Result<NameId, PathError> {
    let mut parser = Parser {
        chars: text.chars().collect(),
        at: 0,
        namespaces,
        names,
    };
    let read = parser.attribute().and_then(|name| {
        let rest = parser.chars.get(parser.at);
        rest.map_or(Ok(name), |c| {
            Err(format!("`{c}` does not belong to a name"))
        })
    });
    read.map_err(|reason| PathError {
        position: parser.at,
        reason,
    })
}
