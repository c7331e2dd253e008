//! What stands on its own: constants, names, lists, objects, what is in brackets.

use serde_json::Value;

use super::{Parsed, Parser, binding};
use crate::expression::syntax::{Each, Expr, Node};
use crate::expression::token::TokenKind;

impl Parser<'_> {
    pub(super) fn primary(&mut self) -> Parsed<Expr> {
        let position = self.position();
        let node = match self.peek().clone() {
            TokenKind::Integer(number) => self.constant(Value::from(number)),
            TokenKind::Float(number) => self.constant(Value::from(number)),
            TokenKind::Text(text) => self.constant(Value::String(text)),
            TokenKind::Name(name) => {
                self.at += 1;
                self.name(&name, position)?
            }
            TokenKind::Mark("(") => {
                self.at += 1;
                return self.parenthesis(position);
            }
            TokenKind::Mark("[") => {
                self.at += 1;
                self.list()?
            }
            TokenKind::Mark("{") => {
                self.at += 1;
                self.object()?
            }
            TokenKind::Mark(_) | TokenKind::End => return Err(self.unexpected("a value")),
        };
        Ok(Expr { node, position })
    }

    pub(super) fn constant(&mut self, value: Value) -> Node {
        self.at += 1;
        Node::Constant(value)
    }

    /// `(a)`, or `(a, b)`, which is a list here.
    pub(super) fn parenthesis(&mut self, position: usize) -> Parsed<Expr> {
        let first = self.expression(binding::LOOSEST)?;
        if self.take_mark(")") {
            return Ok(first);
        }
        self.expect_mark(",")?;
        let mut items = vec![first];
        items.extend(self.items(")")?);
        let node = Node::List(items);
        Ok(Expr { node, position })
    }

    /// Expressions separated by commas up to the closing mark.
    pub(super) fn items(&mut self, close: &str) -> Parsed<Vec<Expr>> {
        let mut items = Vec::new();
        while !self.take_mark(close) {
            items.push(self.expression(binding::LOOSEST)?);
            if !self.take_mark(",") {
                self.expect_mark(close)?;
                break;
            }
        }
        Ok(items)
    }

    /// `[a, b]` or `[a for x in list if condition]`.
    pub(super) fn list(&mut self) -> Parsed<Node> {
        // The variable is named behind the expression that uses it.
        if let Some((name, at)) = self.comprehension() {
            return self.each(name, at);
        }
        Ok(Node::List(self.items("]")?))
    }

    /// The variable of a comprehension that begins here, and where its `for` is.
    pub(super) fn comprehension(&self) -> Option<(String, usize)> {
        let mut open = 0;
        for (at, token) in self.tokens.iter().enumerate().skip(self.at) {
            match &token.kind {
                TokenKind::Mark("(" | "[" | "{") => open += 1,
                TokenKind::Mark("]") if open == 0 => return None,
                TokenKind::Mark(")" | "]" | "}") => open -= 1,
                TokenKind::Name(word) if word == "for" && open == 0 => {
                    return match &self.tokens.get(at + 1)?.kind {
                        TokenKind::Name(name) => Some((name.clone(), at)),
                        _ => None,
                    };
                }
                _ => {}
            }
        }
        None
    }

    pub(super) fn each(&mut self, name: String, for_at: usize) -> Parsed<Node> {
        let result_at = self.at;
        // The list does not see the variable, the filter and the result do.
        self.at = for_at + 2;
        if !self.take_word("in") {
            return Err(self.unexpected("`in`"));
        }
        let list = self.expression(binding::IF)?;
        self.locals.push(name);
        let filter = match self.take_word("if") {
            true => Some(self.expression(binding::IF)?),
            false => None,
        };
        self.expect_mark("]")?;
        let end = std::mem::replace(&mut self.at, result_at);
        let result = self.expression(binding::LOOSEST)?;
        if self.at != for_at {
            return Err(self.unexpected("`for`"));
        }
        self.at = end;
        self.locals.pop();
        Ok(Node::Each(Box::new(Each {
            result,
            list,
            filter,
        })))
    }

    pub(super) fn object(&mut self) -> Parsed<Node> {
        let mut fields = Vec::new();
        while !self.take_mark("}") {
            let key = self.expression(binding::LOOSEST)?;
            self.expect_mark(":")?;
            fields.push((key, self.expression(binding::LOOSEST)?));
            if !self.take_mark(",") {
                self.expect_mark("}")?;
                break;
            }
        }
        Ok(Node::Object(fields))
    }
}
