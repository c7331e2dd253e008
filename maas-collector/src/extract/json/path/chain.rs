//! The paths that are walked directly: how they are read, and the walk.

use serde_json::Value;

use super::Found;

/// One step of a chain.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    /// `.name`
    Member(Box<str>),
    /// `['a','b']`: those that exist.
    Members(Vec<Box<str>>),
    /// `[n]`, from the end when negative.
    Index(i64),
    /// `[start:end:step]`
    Slice(Slice),
    /// `[*]`, `.*`
    All,
    /// `[?@.a.b == literal]`
    Equals(Vec<Box<str>>, Value),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slice {
    start: Option<i64>,
    end: Option<i64>,
    step: i64,
}

/// Adds to `found` what the steps lead to from `node`. Recurses once per step.
pub(super) fn walk<'v>(steps: &[Step], node: &'v Value, found: &mut Found<'v>) {
    let Some((step, rest)) = steps.split_first() else {
        return found.push(node);
    };
    match step {
        Step::Member(name) => {
            if let Some(value) = node.get(name.as_ref()) {
                walk(rest, value, found);
            }
        }
        Step::Members(names) => {
            for value in names.iter().filter_map(|name| node.get(name.as_ref())) {
                walk(rest, value, found);
            }
        }
        Step::Index(index) => {
            if let Some(value) = node.as_array().and_then(|items| at(items, *index)) {
                walk(rest, value, found);
            }
        }
        Step::Slice(slice) => {
            let items = as_list(node);
            for value in slice
                .indexes(items.len())
                .filter_map(|index| items.get(index))
            {
                walk(rest, value, found);
            }
        }
        Step::All => {
            for value in children(node) {
                walk(rest, value, found);
            }
        }
        Step::Equals(path, literal) => {
            let equal = |item: &&Value| follow(item, path) == Some(literal);
            for value in children(node).filter(equal) {
                walk(rest, value, found);
            }
        }
    }
}

fn at(items: &[Value], index: i64) -> Option<&Value> {
    let length = i64::try_from(items.len()).ok()?;
    let index = if index < 0 { index + length } else { index };
    items.get(usize::try_from(index).ok()?)
}

fn children(node: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match node {
        Value::Array(items) => Box::new(items.iter()),
        Value::Object(fields) => Box::new(fields.values()),
        _ => Box::new(std::iter::empty()),
    }
}

fn follow<'v>(node: &'v Value, path: &[Box<str>]) -> Option<&'v Value> {
    path.iter()
        .try_fold(node, |node, name| node.get(name.as_ref()))
}

/// The items of a list; anything else that holds something is a list of one.
fn as_list(node: &Value) -> &[Value] {
    let holds = match node {
        Value::Array(items) => return items,
        Value::Object(fields) => !fields.is_empty(),
        Value::String(text) => !text.is_empty(),
        Value::Number(number) => number.as_f64() != Some(0.0) && !number.is_f64(),
        Value::Bool(value) => *value,
        Value::Null => false,
    };
    if holds {
        std::slice::from_ref(node)
    } else {
        &[]
    }
}

impl Slice {
    /// The positions it selects in a list of `length` items, as RFC 9535 (and Python) count them.
    fn indexes(self, length: usize) -> impl Iterator<Item = usize> {
        let length = i64::try_from(length).unwrap_or(i64::MAX);
        let place = |index: i64| {
            if index < 0 {
                index.saturating_add(length)
            } else {
                index
            }
        };
        let (mut next, end) = if self.step >= 0 {
            let start = self.start.map_or(0, |start| place(start).clamp(0, length));
            (
                start,
                self.end.map_or(length, |end| place(end).clamp(0, length)),
            )
        } else {
            let last = length - 1;
            let start = self
                .start
                .map_or(last, |start| place(start).clamp(-1, last));
            (start, self.end.map_or(-1, |end| place(end).clamp(-1, last)))
        };
        let step = self.step;
        std::iter::from_fn(move || {
            let inside = (step > 0 && next < end) || (step < 0 && next > end);
            let index = usize::try_from(next).ok().filter(|_| inside)?;
            next = next.saturating_add(step);
            Some(index)
        })
    }
}

/// Reads a chain; `None` when the text is anything else, right or wrong.
pub(super) fn parse(text: &str) -> Option<Vec<Step>> {
    let mut rest = text.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('[') {
            let end = closing(after)?;
            steps.push(bracket(after[..end].trim())?);
            rest = &after[end + 1..];
        } else {
            let after = rest.strip_prefix('.')?;
            let end = after.find(['.', '[']).unwrap_or(after.len());
            steps.push(match &after[..end] {
                "*" => Step::All,
                name => Step::Member(member(name)?.into()),
            });
            rest = &after[end..];
        }
    }
    Some(steps)
}

/// A member name that needs no quotes.
fn member(name: &str) -> Option<&str> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let fine = !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit());
    (fine && name.chars().all(fits)).then_some(name)
}

/// Where the bracket opened before `text` ends.
fn closing(text: &str) -> Option<usize> {
    let mut quote = None;
    for (place, c) in text.char_indices() {
        match (quote, c) {
            (None, ']') => return Some(place),
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            _ => {}
        }
    }
    None
}

fn bracket(inner: &str) -> Option<Step> {
    if inner == "*" {
        return Some(Step::All);
    }
    if let Some(filter) = inner.strip_prefix('?') {
        return equals(filter.trim());
    }
    if inner.starts_with(['\'', '"']) {
        let mut names = inner.split(',').map(|name| quoted(name.trim()));
        return match (names.next()??, names.next()) {
            (only, None) => Some(Step::Member(only.into())),
            (first, Some(second)) => {
                let mut all = vec![first.into(), second?.into()];
                for name in names {
                    all.push(name?.into());
                }
                Some(Step::Members(all))
            }
        };
    }
    if inner.contains(':') {
        return slice(inner).map(Step::Slice);
    }
    integer(inner).map(Step::Index)
}

fn slice(inner: &str) -> Option<Slice> {
    let mut parts = inner.split(':').map(|part| match part.trim() {
        "" => Some(None),
        number => integer(number).map(Some),
    });
    let (start, end) = (parts.next()??, parts.next()??);
    let step = parts.next().unwrap_or(Some(None))?.unwrap_or(1);
    parts.next().is_none().then_some(Slice { start, end, step })
}

/// `0`, `12`, `-3`: as RFC 9535 writes them.
fn integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits.bytes().all(|b| b.is_ascii_digit());
    let canonical = !digits.starts_with('0') || text == "0";
    (plain && canonical).then(|| text.parse().ok()).flatten()
}

/// The text between quotes, when nothing in it is escaped.
fn quoted(text: &str) -> Option<&str> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let inner = text[1..].strip_suffix(quote)?;
    (!inner.contains([quote, '\\']) && !inner.chars().any(char::is_control)).then_some(inner)
}

/// `@.Name == 'x'`, also in parentheses.
fn equals(filter: &str) -> Option<Step> {
    let bare = filter
        .strip_prefix('(')
        .and_then(|inner| inner.strip_suffix(')'))
        .unwrap_or(filter);
    let (path, literal) = bare.split_once("==")?;
    let path = path.trim().strip_prefix("@.")?;
    let path = path
        .split('.')
        .map(|name| member(name).map(Into::into))
        .collect::<Option<_>>()?;
    let literal = literal.trim();
    let value = match quoted(literal) {
        Some(text) => Value::from(text),
        None if matches!(literal, "true" | "false") => Value::from(literal == "true"),
        None => return None,
    };
    Some(Step::Equals(path, value))
}
