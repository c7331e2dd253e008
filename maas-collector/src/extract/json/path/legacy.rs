//! The old dialect (Python's jsonpath-ng) in the words of RFC 9535.
//!
//! Translated at load, so that there is one evaluator, and so that an old configuration can be written
//! as a new one. What the standard has no word for (`` `parent` ``, `where`, arithmetic, sorting) is
//! refused; no known configuration uses it.

/// Which of the two grammars of the old library a text is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Without filters.
    Standard,
    /// With filters: `[?Name=='x']`.
    Extended,
}

/// Why an old path cannot be translated.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("`{text}` cannot be translated to standard JSONPath: {reason}")]
pub struct LegacyPathError {
    /// The old path.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

/// The same path in the standard dialect.
pub fn from_legacy(text: &str, dialect: Dialect) -> Result<String, LegacyPathError> {
    let fail = |reason: String| LegacyPathError {
        text: text.to_owned(),
        reason,
    };
    let tokens = tokens(text).map_err(fail)?;
    let mut translator = Translator {
        tokens,
        next: 0,
        dialect,
        out: String::from("$"),
    };
    translator.path().map_err(fail)?;
    // Brackets are taken over as they are: `[1:2:3:4]` too.
    super::JsonPath::parse(&translator.out).map_err(|error| fail(error.reason))?;
    Ok(translator.out)
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Name(String),
    Operator(String),
    Integer(i64),
    Filter(String),
    Sign(char),
    Descend,
}

/// Cuts the text; a filter stays whole, it has a grammar of its own.
fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim();
    while let Some(c) = rest.chars().next() {
        let (token, length) = match c {
            '.' if rest.starts_with("..") => (Token::Descend, 2),
            '?' => {
                let end = end_of_filter(rest).ok_or("a filter has no end")?;
                (Token::Filter(rest[1..end].to_owned()), end)
            }
            '\'' | '"' => {
                let (name, length) = quoted(rest, c).ok_or("a quote has no end")?;
                (Token::Name(name), length)
            }
            '`' => {
                let end = rest[1..].find('`').ok_or("a backquote has no end")?;
                (Token::Operator(rest[1..=end].to_owned()), end + 2)
            }
            '-' | '0'..='9' => {
                let digits = rest[1..].bytes().take_while(u8::is_ascii_digit).count();
                let number = rest[..=digits].parse();
                let number = number.map_err(|_| format!("unexpected `{c}`"))?;
                (Token::Integer(number), digits + 1)
            }
            c if starts_name(c) => {
                let end = rest
                    .find(|c: char| !continues_name(c))
                    .unwrap_or(rest.len());
                (Token::Name(rest[..end].to_owned()), end)
            }
            '$' | '*' | '.' | '[' | ']' | '(' | ')' | ',' | ':' | '|' => (Token::Sign(c), 1),
            other => return Err(format!("unexpected `{other}`")),
        };
        tokens.push(token);
        rest = rest[length..].trim_start_matches([' ', '\t']);
    }
    Ok(tokens)
}

fn starts_name(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || c == '@'
}

fn continues_name(c: char) -> bool {
    starts_name(c) || c.is_ascii_digit() || c == '-'
}

/// The text between quotes and how long it is with them.
fn quoted(text: &str, quote: char) -> Option<(String, usize)> {
    let mut name = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((place, c)) = chars.next() {
        match c {
            '\\' => name.push(chars.next()?.1),
            c if c == quote => return Some((name, place + 1)),
            c => name.push(c),
        }
    }
    None
}

/// Where the bracket around a filter ends.
fn end_of_filter(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut depth = 0_usize;
    for (place, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), _) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '[') => depth += 1,
            (None, ']') if depth == 0 => return Some(place),
            (None, ']') => depth -= 1,
            _ => {}
        }
    }
    None
}

struct Translator {
    tokens: Vec<Token>,
    next: usize,
    dialect: Dialect,
    out: String,
}

impl Translator {
    fn path(&mut self) -> Result<(), String> {
        if self.tokens.is_empty() {
            return Err("it is empty".into());
        }
        if !matches!(self.peek(), Some(Token::Sign('['))) {
            self.atom()?;
        }
        while let Some(token) = self.take() {
            match token {
                Token::Sign('[') => self.bracket()?,
                Token::Sign('.') => self.atom()?,
                Token::Descend => {
                    self.out.push_str("..");
                    if matches!(self.peek(), Some(Token::Sign('['))) {
                        self.next += 1;
                        self.bracket()?;
                    } else {
                        self.atom()?;
                    }
                }
                other => return Err(format!("unexpected {}", describe(Some(&other)))),
            }
        }
        Ok(())
    }

    /// What stands between two dots: names (joined by `,` or `|`), a wildcard, `$`, `` `this` ``.
    fn atom(&mut self) -> Result<(), String> {
        match self.take() {
            Some(Token::Sign('$')) => Ok(()),
            Some(Token::Operator(name)) if name == "this" => Ok(()),
            Some(Token::Operator(name)) => Err(format!("`{name}` is not supported")),
            Some(Token::Sign('*')) => {
                self.out.push_str("[*]");
                Ok(())
            }
            Some(Token::Sign('(')) => {
                let first = self.name()?;
                self.names(first)?;
                self.expect(')')
            }
            Some(Token::Name(name)) => self.names(name),
            other => Err(format!("unexpected {}", describe(other.as_ref()))),
        }
    }

    /// The rest of a list of names, written as one selector.
    fn names(&mut self, first: String) -> Result<(), String> {
        let mut names = vec![first];
        while matches!(self.peek(), Some(Token::Sign(',' | '|'))) {
            self.next += 1;
            names.push(self.name()?);
        }
        if names == ["*"] {
            self.out.push_str("[*]");
            return Ok(());
        }
        let plain = |name: &str| {
            !name.is_empty()
                && name
                    .chars()
                    .all(|c| continues_name(c) && !matches!(c, '@' | '-'))
        };
        match &names[..] {
            [name] if plain(name) && !name.starts_with(|c: char| c.is_ascii_digit()) => {
                if !self.out.ends_with("..") {
                    self.out.push('.');
                }
                self.out.push_str(name);
            }
            _ => {
                let names: Vec<String> = names.iter().map(|name| literal(name)).collect();
                self.out.push_str(&format!("[{}]", names.join(",")));
            }
        }
        Ok(())
    }

    fn bracket(&mut self) -> Result<(), String> {
        match self.take() {
            Some(Token::Name(name)) => self.names(name)?,
            Some(Token::Sign('*')) => self.out.push_str("[*]"),
            Some(Token::Filter(text)) if self.dialect == Dialect::Extended => {
                self.out.push_str(&format!("[?{}]", filter(&text)?));
            }
            Some(Token::Filter(_)) => return Err("the standard grammar has no filters".into()),
            first @ Some(Token::Integer(_) | Token::Sign(':')) => {
                let inner = self.slice(first)?;
                self.out.push_str(&format!("[{inner}]"));
            }
            other => return Err(format!("unexpected {}", describe(other.as_ref()))),
        }
        self.expect(']')
    }

    /// `n`, `a:b`, `a:b:c`.
    fn slice(&mut self, mut token: Option<Token>) -> Result<String, String> {
        let mut inner = String::new();
        loop {
            match token {
                Some(Token::Integer(number)) => inner.push_str(&number.to_string()),
                Some(Token::Sign(':')) => inner.push(':'),
                other => return Err(format!("unexpected {}", describe(other.as_ref()))),
            }
            if !matches!(self.peek(), Some(Token::Integer(_) | Token::Sign(':'))) {
                return Ok(inner);
            }
            token = self.take();
        }
    }

    fn name(&mut self) -> Result<String, String> {
        match self.take() {
            Some(Token::Name(name)) => Ok(name),
            other => Err(format!(
                "a name is wanted, not {}",
                describe(other.as_ref())
            )),
        }
    }

    fn expect(&mut self, sign: char) -> Result<(), String> {
        match self.take() {
            Some(Token::Sign(found)) if found == sign => Ok(()),
            other => Err(format!(
                "`{sign}` is wanted, not {}",
                describe(other.as_ref())
            )),
        }
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next)
    }

    fn take(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.next).cloned();
        self.next += 1;
        token
    }
}

fn describe(token: Option<&Token>) -> String {
    match token {
        None => "the end".into(),
        Some(Token::Name(text) | Token::Operator(text)) => format!("`{text}`"),
        Some(Token::Integer(number)) => format!("`{number}`"),
        Some(Token::Filter(_)) => "a filter".into(),
        Some(Token::Sign(sign)) => format!("`{sign}`"),
        Some(Token::Descend) => "`..`".into(),
    }
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// `Name=='x' & n<10` as `@.Name=='x' && @.n<10`.
fn filter(text: &str) -> Result<String, String> {
    let text = text.trim();
    let bare = text
        .strip_prefix('(')
        .and_then(|inner| inner.strip_suffix(')'))
        .unwrap_or(text);
    let parts: Result<Vec<String>, String> = split_and(bare).into_iter().map(comparison).collect();
    Ok(parts?.join(" && "))
}

fn split_and(text: &str) -> Vec<&str> {
    let mut quote = None;
    let mut parts = Vec::new();
    let mut start = 0;
    for (place, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), _) if open == c => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, '&') => {
                parts.push(&text[start..place]);
                start = place + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn comparison(text: &str) -> Result<String, String> {
    let text = text.trim();
    let end = text.find(['=', '!', '<', '>']).unwrap_or(text.len());
    let path = text[..end].trim().trim_start_matches("@.");
    if path.is_empty() {
        return Err("a filter without a name".into());
    }
    let translated = from_legacy(path, Dialect::Standard).map_err(|error| error.reason)?;
    let path = translated.replacen('$', "@", 1);
    let rest = &text[end..];
    if rest.is_empty() {
        return Ok(path);
    }
    let operator = ["==", "!=", "<=", ">=", "=~", "=", "<", ">"]
        .into_iter()
        .find(|operator| rest.starts_with(operator))
        .ok_or("a filter has no operator")?;
    let value = value(rest[operator.len()..].trim())?;
    Ok(match operator {
        "=" | "==" => format!("{path}=={value}"),
        // An absent member differs from everything in the standard, from nothing in the old dialect.
        "!=" => format!("({path} && {path}!={value})"),
        "=~" => format!("search({path},{value})"),
        other => format!("{path}{other}{value}"),
    })
}

/// A literal: quoted text, number, boolean, or a bare word, which is a text.
fn value(text: &str) -> Result<String, String> {
    match text.chars().next() {
        None => Err("a filter has no value".into()),
        Some(quote @ ('\'' | '"')) => match quoted(text, quote) {
            Some((inner, length)) if length == text.len() => Ok(literal(&inner)),
            _ => Err(format!("unexpected {text}")),
        },
        Some(_) if matches!(text, "true" | "false") || text.parse::<f64>().is_ok() => {
            Ok(text.to_owned())
        }
        Some(_) if text.chars().all(continues_name) => Ok(literal(text)),
        Some(_) => Err(format!("unexpected `{text}`")),
    }
}
