//! From text to words and marks.

use super::ExpressionError;

/// A word or mark, with the number of characters before it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) position: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind {
    Name(String),
    Integer(u64),
    Float(f64),
    Text(String),
    Mark(&'static str),
    End,
}

const MARKS: [&str; 23] = [
    "==", "!=", "<=", ">=", "//", "**", "<", ">", "(", ")", "[", "]", "{", "}", ",", ":", ".", "+",
    "-", "*", "/", "%", "=",
];

/// Longer texts are programs, not expressions.
const MAX_LENGTH: usize = 10_000;

pub(super) fn tokens(text: &str) -> Result<Vec<Token>, ExpressionError> {
    if text.len() > MAX_LENGTH {
        let message = format!("an expression has at most {MAX_LENGTH} bytes");
        return Err(ExpressionError::new(0, message));
    }
    let chars: Vec<char> = text.chars().collect();
    let mut lexer = Lexer {
        chars: &chars,
        at: 0,
    };
    let mut tokens = Vec::new();
    loop {
        let token = lexer.token()?;
        let end = token.kind == TokenKind::End;
        tokens.push(token);
        if end {
            return Ok(tokens);
        }
    }
}

struct Lexer<'a> {
    chars: &'a [char],
    at: usize,
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn take_while(&mut self, accepts: impl Fn(char) -> bool) -> String {
        let start = self.at;
        while self.peek(0).is_some_and(&accepts) {
            self.at += 1;
        }
        self.chars[start..self.at].iter().collect()
    }

    fn token(&mut self) -> Result<Token, ExpressionError> {
        self.take_while(char::is_whitespace);
        let position = self.at;
        let kind = match self.peek(0) {
            None => TokenKind::End,
            Some('\'' | '"') => TokenKind::Text(self.text(false)?),
            Some('r' | 'R') if matches!(self.peek(1), Some('\'' | '"')) => {
                self.at += 1;
                TokenKind::Text(self.text(true)?)
            }
            Some(c) if c.is_ascii_digit() => self.number()?,
            Some('.') if self.peek(1).is_some_and(|c| c.is_ascii_digit()) => self.number()?,
            Some(c) if c.is_alphabetic() || c == '_' => {
                let name = self.take_while(|c| c.is_alphanumeric() || c == '_');
                if matches!(self.peek(0), Some('\'' | '"')) {
                    let error = ExpressionError::new(position, format!("no `{name}'...'` texts"));
                    return Err(error.hint("join texts with `+`"));
                }
                TokenKind::Name(name)
            }
            Some(_) => TokenKind::Mark(self.mark()?),
        };
        Ok(Token { kind, position })
    }

    fn mark(&mut self) -> Result<&'static str, ExpressionError> {
        let starts = |mark: &&str| {
            mark.chars()
                .enumerate()
                .all(|(i, c)| self.peek(i) == Some(c))
        };
        match MARKS.into_iter().find(|mark| starts(mark)) {
            Some(mark) => {
                self.at += mark.len();
                Ok(mark)
            }
            None => {
                let found = self.peek(0).unwrap_or(' ');
                Err(ExpressionError::new(
                    self.at,
                    format!("unexpected `{found}`"),
                ))
            }
        }
    }

    fn number(&mut self) -> Result<TokenKind, ExpressionError> {
        let position = self.at;
        let mut text = self.take_while(|c| c.is_ascii_digit());
        let mut whole = true;
        if self.peek(0) == Some('.') {
            whole = false;
            text.push_str(&self.take_while(|c| c == '.' || c.is_ascii_digit()));
        }
        if matches!(self.peek(0), Some('e' | 'E')) {
            whole = false;
            self.at += 1;
            text.push('e');
            if let Some(sign @ ('+' | '-')) = self.peek(0) {
                text.push(sign);
                self.at += 1;
            }
            text.push_str(&self.take_while(|c| c.is_ascii_digit()));
        }
        let error = || ExpressionError::new(position, format!("`{text}` is no number"));
        if self
            .peek(0)
            .is_some_and(|c| c.is_alphanumeric() || c == '_')
        {
            return Err(error());
        }
        if whole {
            return text.parse().map(TokenKind::Integer).map_err(|_| error());
        }
        match text.parse::<f64>() {
            Ok(float) if float.is_finite() => Ok(TokenKind::Float(float)),
            _ => Err(error()),
        }
    }

    fn text(&mut self, raw: bool) -> Result<String, ExpressionError> {
        let start = self.at;
        let quote = self.peek(0);
        self.at += 1;
        let mut text = String::new();
        loop {
            let Some(c) = self.peek(0) else {
                return Err(ExpressionError::new(start, "this text has no end"));
            };
            self.at += 1;
            match c {
                c if Some(c) == quote => return Ok(text),
                '\\' if raw => {
                    text.push('\\');
                    text.extend(self.peek(0));
                    self.at += 1;
                }
                '\\' => self.escape(&mut text)?,
                c => text.push(c),
            }
        }
    }

    fn escape(&mut self, text: &mut String) -> Result<(), ExpressionError> {
        let position = self.at - 1;
        let error = || ExpressionError::new(position, "unknown escape in a text");
        let escaped = self.peek(0).ok_or_else(error)?;
        self.at += 1;
        let digits = match escaped {
            '\\' | '\'' | '"' => {
                text.push(escaped);
                return Ok(());
            }
            'n' => {
                text.push('\n');
                return Ok(());
            }
            't' => {
                text.push('\t');
                return Ok(());
            }
            'r' => {
                text.push('\r');
                return Ok(());
            }
            'x' => 2,
            'u' => 4,
            'U' => 8,
            // As in Python, what is no escape stands for itself: patterns rely on it. (`\\b` is one in
            // Python, a backspace; nobody means that in a pattern.)
            other if !other.is_ascii_alphanumeric() || "dDwWsSbB".contains(other) => {
                text.push('\\');
                text.push(other);
                return Ok(());
            }
            _ => return Err(error()),
        };
        let mut code = 0;
        for _ in 0..digits {
            let digit = self
                .peek(0)
                .and_then(|c| c.to_digit(16))
                .ok_or_else(error)?;
            // Eight digits of four bits fit.
            code = code << 4 | digit;
            self.at += 1;
        }
        text.push(char::from_u32(code).ok_or_else(error)?);
        Ok(())
    }
}
