//! What hangs on an expression: methods, fields, items.

use super::{Parsed, Parser, binding, check_count};
use crate::expression::ExpressionError;
use crate::expression::syntax::{Expr, Method, Node};
use crate::expression::token::TokenKind;

impl Parser<'_> {
    pub(super) fn postfix(&mut self, mut expr: Expr) -> Parsed<Expr> {
        loop {
            let position = self.position();
            let node = if self.take_mark("[") {
                self.item(expr)?
            } else if self.take_mark(".") {
                let TokenKind::Name(name) = self.next() else {
                    self.at -= 1;
                    return Err(self.unexpected("a method"));
                };
                if !self.take_mark("(") {
                    let error =
                        ExpressionError::new(position, format!("no attributes, found `.{name}`"));
                    return Err(error.hint("items are read as `x['name']` or `x.get('name')`"));
                }
                self.method(expr, &name, position)?
            } else {
                return Ok(expr);
            };
            expr = Expr { node, position };
        }
    }

    /// A method call, behind its `(`.
    pub(super) fn method(&mut self, receiver: Expr, name: &str, position: usize) -> Parsed<Node> {
        let Some(method) = Method::from_word(name) else {
            let error = ExpressionError::new(position, format!("unknown method `{name}`"));
            return Err(error.hint(format!("the methods are {}", Method::WORDS.join(", "))));
        };
        let arguments = self.items(")")?;
        check_count(name, method.arguments(), arguments.len(), position)?;
        Ok(Node::Method(Box::new(receiver), method, arguments))
    }

    /// `[i]` or `[from:to:step]`, behind its `[`.
    pub(super) fn item(&mut self, of: Expr) -> Parsed<Node> {
        let mut bounds = [None, None, None];
        let mut colons = 0;
        loop {
            if !self.is_mark(":") && !self.is_mark("]") {
                bounds[colons] = Some(self.expression(binding::LOOSEST)?);
            }
            if self.take_mark("]") {
                break;
            }
            if colons == 2 {
                return Err(self.unexpected("`]`"));
            }
            self.expect_mark(":")?;
            colons += 1;
        }
        if colons > 0 {
            return Ok(Node::Slice(Box::new(of), Box::new(bounds)));
        }
        let [Some(index), _, _] = bounds else {
            self.at -= 1;
            return Err(self.unexpected("a key or position"));
        };
        Ok(Node::Item(Box::new((of, index))))
    }
}
