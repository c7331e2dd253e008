//! How cells are separated and quoted: guessed from the first line, as Python's `csv.Sniffer` does it with
//! the candidates `,` and `;`.

/// How cells are separated and quoted. A doubled quote within quotes is always one quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialect {
    pub(super) delimiter: u8,
    pub(super) quote: u8,
    /// Whether blanks behind a delimiter are left out.
    pub(super) skip_blanks: bool,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            delimiter: b',',
            quote: b'"',
            skip_blanks: false,
        }
    }
}

const CANDIDATES: [char; 2] = [',', ';'];

/// One place where a quoted cell was recognized.
struct Hit {
    quote: char,
    delimiter: Option<char>,
    blank: bool,
    /// Where the search goes on.
    end: usize,
}

impl Dialect {
    /// The dialect of a file whose first line this is, without its end.
    pub(super) fn sniff(line: &str) -> Self {
        let letters: Vec<char> = line.chars().collect();
        let hits = quoted_cells(&letters);
        let quote = most_frequent(hits.iter().map(|hit| hit.quote)).unwrap_or('"');
        let wanted = |hit: &&Hit| hit.delimiter.is_some_and(|c| CANDIDATES.contains(&c));
        let hits: Vec<&Hit> = hits.iter().filter(wanted).collect();
        let by_quotes = most_frequent(hits.iter().filter_map(|hit| hit.delimiter));
        let (delimiter, skip_blanks) = match by_quotes {
            Some(delimiter) => {
                let mut used = hits.iter().filter(|hit| hit.delimiter == Some(delimiter));
                (delimiter, used.all(|hit| hit.blank))
            }
            None => {
                let Some(delimiter) = CANDIDATES.into_iter().find(|c| line.contains(*c)) else {
                    return Self::default();
                };
                let blank = line.matches(&format!("{delimiter} ")).count();
                (delimiter, blank == line.matches(delimiter).count())
            }
        };
        Self {
            // The candidates and both quotes are ASCII.
            delimiter: delimiter as u8,
            quote: quote as u8,
            skip_blanks,
        }
    }
}

/// Recognizes a quoted cell at a position of a line.
type Shape = fn(&[char], usize) -> Option<Hit>;

/// The first of four shapes that occurs decides: a quoted cell between delimiters, at the start of the
/// line, at its end, or all of it.
fn quoted_cells(line: &[char]) -> Vec<Hit> {
    let shapes: [Shape; 4] = [
        |line, at| opened(line, at).and_then(|open| closed_before(line, open)),
        |line, at| (at == 0).then(|| start(line)).flatten(),
        |line, at| opened(line, at).and_then(|open| closed_at_end(line, open)),
        |line, at| {
            let quote = *line.first().filter(|c| at == 0 && is_quote(**c))?;
            let whole = line.len() > 1 && line.last() == Some(&quote);
            whole.then_some(Hit {
                quote,
                delimiter: None,
                blank: false,
                end: line.len(),
            })
        },
    ];
    for shape in shapes {
        let mut hits = Vec::new();
        let mut at = 0;
        while at < line.len() {
            match shape(line, at) {
                Some(hit) => {
                    at = hit.end.max(at + 1);
                    hits.push(hit);
                }
                None => at += 1,
            }
        }
        if !hits.is_empty() {
            return hits;
        }
    }
    Vec::new()
}

/// A delimiter, perhaps a blank, and an opening quote.
struct Opened {
    delimiter: char,
    blank: bool,
    quote: char,
    /// Behind the quote.
    inside: usize,
}

fn opened(line: &[char], at: usize) -> Option<Opened> {
    let delimiter = *line.get(at).filter(|c| is_delimiter(**c))?;
    let blank = line.get(at + 1) == Some(&' ') && line.get(at + 2).is_some_and(|c| is_quote(*c));
    let place = at + 1 + usize::from(blank);
    let quote = *line.get(place).filter(|c| is_quote(**c))?;
    Some(Opened {
        delimiter,
        blank,
        quote,
        inside: place + 1,
    })
}

/// The same quote and delimiter again.
fn closed_before(line: &[char], open: Opened) -> Option<Hit> {
    let ends = |at: &usize| line[*at] == open.quote && line.get(at + 1) == Some(&open.delimiter);
    let close = (open.inside..line.len()).find(ends)?;
    Some(Hit {
        quote: open.quote,
        delimiter: Some(open.delimiter),
        blank: open.blank,
        end: close + 2,
    })
}

fn closed_at_end(line: &[char], open: Opened) -> Option<Hit> {
    let closed = line.len() > open.inside && line.last() == Some(&open.quote);
    closed.then_some(Hit {
        quote: open.quote,
        delimiter: Some(open.delimiter),
        blank: open.blank,
        end: line.len(),
    })
}

/// A quoted cell at the start of the line and a delimiter behind it.
fn start(line: &[char]) -> Option<Hit> {
    let quote = *line.first().filter(|c| is_quote(**c))?;
    let follows =
        |at: &usize| line[*at] == quote && line.get(at + 1).is_some_and(|c| is_delimiter(*c));
    let close = (1..line.len()).find(follows)?;
    let blank = line.get(close + 2) == Some(&' ');
    Some(Hit {
        quote,
        delimiter: line.get(close + 1).copied(),
        blank,
        end: close + 2 + usize::from(blank),
    })
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'')
}

fn is_delimiter(c: char) -> bool {
    !c.is_alphanumeric() && c != '_' && !is_quote(c)
}

/// The first of the most frequent ones.
fn most_frequent(found: impl Iterator<Item = char>) -> Option<char> {
    let mut counts: Vec<(char, usize)> = Vec::new();
    for c in found {
        match counts.iter_mut().find(|(known, _)| *known == c) {
            Some((_, count)) => *count += 1,
            None => counts.push((c, 1)),
        }
    }
    let most = counts.iter().map(|(_, count)| *count).max()?;
    counts
        .iter()
        .find(|(_, count)| *count == most)
        .map(|(c, _)| *c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_tells_the_dialect() {
        for (line, delimiter, quote, skip_blanks) in [
            ("a,b", ',', '"', false),
            ("a;b", ';', '"', false),
            ("a;b,c", ',', '"', false),
            ("a, b, c", ',', '"', true),
            ("a, b,c", ',', '"', false),
            ("a\tb", ',', '"', false),
            ("", ',', '"', false),
            ("'a','b'", ',', '\'', false),
            ("'a'; 'b'; 'c'", ';', '\'', true),
            ("\"a\";\"b,c\";d", ';', '"', false),
            ("a,'b c',d;e", ',', '\'', false),
            ("\"a,b;c\"", ',', '"', false),
        ] {
            let expected = Dialect {
                delimiter: delimiter as u8,
                quote: quote as u8,
                skip_blanks,
            };
            assert_eq!(Dialect::sniff(line), expected, "{line}");
        }
    }
}
