//! From words and marks to an expression: a Pratt parser.

mod name;
mod operator;
mod postfix;
mod primary;

use self::operator::Joined;
use super::ExpressionError;
use super::syntax::{Expr, Node};
use super::token::{Token, TokenKind, tokens};

/// How deep parts may lie in each other: evaluation recurses as deep.
const MAX_DEPTH: usize = 64;

/// How tightly operators bind, loosest first.
mod binding {
    pub(super) const LOOSEST: u8 = 0;
    pub(super) const IF: u8 = 1;
    pub(super) const OR: u8 = 2;
    pub(super) const AND: u8 = 3;
    pub(super) const NOT: u8 = 4;
    pub(super) const COMPARE: u8 = 5;
    pub(super) const ADD: u8 = 6;
    pub(super) const MULTIPLY: u8 = 7;
    pub(super) const SIGN: u8 = 8;
}

/// Reads a whole text. `lambda`: the names of the modules of the Python system are known.
pub(super) fn parse(text: &str, variables: &[&str], lambda: bool) -> Result<Expr, ExpressionError> {
    parse_tokens(tokens(text)?, variables, lambda)
}

pub(super) fn parse_tokens(
    tokens: Vec<Token>,
    variables: &[&str],
    lambda: bool,
) -> Result<Expr, ExpressionError> {
    let mut parser = Parser {
        tokens,
        at: 0,
        variables,
        locals: Vec::new(),
        lambda,
        depth: 0,
    };
    let expr = parser.expression(binding::LOOSEST)?;
    if *parser.peek() != TokenKind::End {
        return Err(parser.unexpected("the end or an operator"));
    }
    if expr.depth() > MAX_DEPTH {
        return Err(ExpressionError::new(0, "too many parts in each other"));
    }
    Ok(expr)
}

struct Parser<'v> {
    tokens: Vec<Token>,
    at: usize,
    variables: &'v [&'v str],
    locals: Vec<String>,
    lambda: bool,
    depth: usize,
}

type Parsed<T> = Result<T, ExpressionError>;

impl Parser<'_> {
    fn peek(&self) -> &TokenKind {
        self.tokens
            .get(self.at)
            .map_or(&TokenKind::End, |token| &token.kind)
    }

    fn position(&self) -> usize {
        let token = self.tokens.get(self.at).or(self.tokens.last());
        token.map_or(0, |token| token.position)
    }

    fn next(&mut self) -> TokenKind {
        let kind = self.peek().clone();
        self.at += 1;
        kind
    }

    fn is_mark(&self, mark: &str) -> bool {
        matches!(self.peek(), TokenKind::Mark(found) if *found == mark)
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), TokenKind::Name(found) if found == word)
    }

    fn take_mark(&mut self, mark: &str) -> bool {
        let found = self.is_mark(mark);
        self.at += usize::from(found);
        found
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.at += usize::from(found);
        found
    }

    fn expect_mark(&mut self, mark: &str) -> Parsed<()> {
        if self.take_mark(mark) {
            Ok(())
        } else {
            Err(self.unexpected(&format!("`{mark}`")))
        }
    }

    fn unexpected(&self, wanted: &str) -> ExpressionError {
        let found = match self.peek() {
            TokenKind::Name(name) => format!("`{name}`"),
            TokenKind::Integer(number) => format!("`{number}`"),
            TokenKind::Float(number) => format!("`{number}`"),
            TokenKind::Text(_) => "a text".to_owned(),
            TokenKind::Mark(mark) => format!("`{mark}`"),
            TokenKind::End => "the end".to_owned(),
        };
        let error =
            ExpressionError::new(self.position(), format!("expected {wanted}, found {found}"));
        match self.peek() {
            TokenKind::Mark("=") => error.hint("equality is `==`"),
            TokenKind::Mark("**") => error.hint("there are `+ - * / // %`"),
            _ => error,
        }
    }

    /// An expression whose operators bind tighter than `least`.
    fn expression(&mut self, least: u8) -> Parsed<Expr> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(ExpressionError::new(
                self.position(),
                "too many parts in each other",
            ));
        }
        let mut left = self.prefix()?;
        loop {
            match self.infix(left, least)? {
                Joined::Yes(expr) => left = expr,
                Joined::No(expr) => {
                    self.depth -= 1;
                    return Ok(expr);
                }
            }
        }
    }

    fn prefix(&mut self) -> Parsed<Expr> {
        let position = self.position();
        let node = if self.take_word("not") {
            Node::Not(Box::new(self.expression(binding::NOT)?))
        } else if self.take_mark("-") {
            Node::Negative(Box::new(self.expression(binding::SIGN)?))
        } else {
            let first = self.primary()?;
            return self.postfix(first);
        };
        Ok(Expr { node, position })
    }
}

fn check_count(
    name: &str,
    wanted: std::ops::RangeInclusive<usize>,
    found: usize,
    position: usize,
) -> Parsed<()> {
    if wanted.contains(&found) {
        return Ok(());
    }
    let (least, most) = (wanted.start(), wanted.end());
    let wanted = if least == most {
        least.to_string()
    } else {
        format!("{least} to {most}")
    };
    let message = format!("`{name}` takes {wanted} arguments, not {found}");
    Err(ExpressionError::new(position, message))
}
