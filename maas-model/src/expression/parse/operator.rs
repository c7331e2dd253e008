//! Operators between two expressions.

use super::{Parsed, Parser, binding};
use crate::expression::syntax::{Comparison, Expr, IfElse, Node, Operator};
use crate::expression::token::TokenKind;

impl Parser<'_> {
    /// Joins `left` with what follows, when its operator binds tighter than `least`.
    pub(super) fn infix(&mut self, left: Expr, least: u8) -> Parsed<Joined> {
        let position = self.position();
        let Some((binding, join)) = self.operator() else {
            return Ok(Joined::No(left));
        };
        if binding <= least {
            return Ok(Joined::No(left));
        }
        let node = match join {
            Join::If => {
                self.at += 1;
                let condition = self.expression(binding::IF)?;
                if !self.take_word("else") {
                    return Err(self.unexpected("`else`"));
                }
                // `a if b else c if d else e` reads to the right.
                let otherwise = self.expression(binding::LOOSEST)?;
                Node::If(Box::new(IfElse {
                    condition,
                    then: left,
                    otherwise,
                }))
            }
            Join::Or => {
                self.at += 1;
                Node::Or(Box::new((left, self.expression(binding)?)))
            }
            Join::And => {
                self.at += 1;
                Node::And(Box::new((left, self.expression(binding)?)))
            }
            Join::Binary(operator) => {
                self.at += 1;
                Node::Binary(operator, Box::new((left, self.expression(binding)?)))
            }
            Join::Compare => {
                let mut chain = Vec::new();
                while let Some(comparison) = self.comparison() {
                    chain.push((comparison, self.expression(binding::COMPARE)?));
                }
                if chain.is_empty() {
                    return Err(self.unexpected("`in` behind `not`"));
                }
                Node::Compare(Box::new(left), chain)
            }
        };
        Ok(Joined::Yes(Expr { node, position }))
    }

    pub(super) fn operator(&self) -> Option<(u8, Join)> {
        use Operator::{Add, Divide, FloorDivide, Multiply, Remainder, Subtract};
        Some(match self.peek() {
            TokenKind::Name(word) => match word.as_str() {
                "if" => (binding::IF, Join::If),
                "or" => (binding::OR, Join::Or),
                "and" => (binding::AND, Join::And),
                "in" | "not" | "is" => (binding::COMPARE, Join::Compare),
                _ => return None,
            },
            TokenKind::Mark(mark) => match *mark {
                "==" | "!=" | "<" | "<=" | ">" | ">=" => (binding::COMPARE, Join::Compare),
                "+" => (binding::ADD, Join::Binary(Add)),
                "-" => (binding::ADD, Join::Binary(Subtract)),
                "*" => (binding::MULTIPLY, Join::Binary(Multiply)),
                "/" => (binding::MULTIPLY, Join::Binary(Divide)),
                "//" => (binding::MULTIPLY, Join::Binary(FloorDivide)),
                "%" => (binding::MULTIPLY, Join::Binary(Remainder)),
                _ => return None,
            },
            _ => return None,
        })
    }

    pub(super) fn comparison(&mut self) -> Option<Comparison> {
        use Comparison as C;
        let found = match self.peek() {
            TokenKind::Mark("==") => C::Equal,
            TokenKind::Mark("!=") => C::NotEqual,
            TokenKind::Mark("<") => C::Less,
            TokenKind::Mark("<=") => C::LessOrEqual,
            TokenKind::Mark(">") => C::Greater,
            TokenKind::Mark(">=") => C::GreaterOrEqual,
            TokenKind::Name(word) if word == "in" => C::In,
            TokenKind::Name(word) if word == "is" => C::Is,
            TokenKind::Name(word) if word == "not" => {
                let next = self.tokens.get(self.at + 1).map(|token| &token.kind);
                if !matches!(next, Some(TokenKind::Name(word)) if word == "in") {
                    return None;
                }
                self.at += 1;
                C::NotIn
            }
            _ => return None,
        };
        self.at += 1;
        if found == C::Is && self.take_word("not") {
            return Some(C::IsNot);
        }
        Some(found)
    }
}

/// What came of an operator.
pub(super) enum Joined {
    Yes(Expr),
    No(Expr),
}

/// An operator, by how it is read.
pub(super) enum Join {
    If,
    Or,
    And,
    Binary(Operator),
    Compare,
}
