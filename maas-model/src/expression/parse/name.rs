//! Names: variables, functions, and what the Python system calls by its modules.

use serde_json::Value;

use super::{Parsed, Parser, binding, check_count};
use crate::expression::ExpressionError;
use crate::expression::syntax::{Expr, Function, Node, Type};
use crate::expression::token::TokenKind;
use crate::pattern::Pattern;

impl Parser<'_> {
    pub(super) fn name(&mut self, name: &str, position: usize) -> Parsed<Node> {
        if let Some(slot) = self.locals.iter().rposition(|local| local == name) {
            return Ok(Node::Local(slot));
        }
        if let Some(slot) = self.variables.iter().position(|variable| *variable == name) {
            return Ok(Node::Variable(slot));
        }
        match name {
            "None" | "null" => return Ok(Node::Constant(Value::Null)),
            "True" | "true" => return Ok(Node::Constant(Value::Bool(true))),
            "False" | "false" => return Ok(Node::Constant(Value::Bool(false))),
            "lambda" => {
                let error = ExpressionError::new(position, "no functions within an expression");
                return Err(error);
            }
            _ => {}
        }
        let called = self.module_member(name);
        if !self.is_mark("(") {
            return Err(self.unknown_name(&called, position));
        }
        self.call(&called, position)
    }

    /// In a Python lambda `re.match` and `datetime.datetime.strptime` are functions of ours.
    pub(super) fn module_member(&mut self, name: &str) -> String {
        let mut called = name.to_owned();
        while self.lambda && matches!(name, "re" | "datetime") && self.is_mark(".") {
            let TokenKind::Name(member) = self
                .tokens
                .get(self.at + 1)
                .map_or(&TokenKind::End, |t| &t.kind)
            else {
                break;
            };
            called = format!("{called}.{member}");
            self.at += 2;
        }
        match called.as_str() {
            "parse_datetime" | "datetime.datetime.strptime" if self.lambda => "date".to_owned(),
            "re.match" if self.lambda => "match".to_owned(),
            _ => called,
        }
    }

    pub(super) fn unknown_name(&self, name: &str, position: usize) -> ExpressionError {
        let variables: Vec<String> = self
            .variables
            .iter()
            .map(|name| format!("`{name}`"))
            .collect();
        let error = ExpressionError::new(position, format!("unknown name `{name}`"));
        if Function::from_word(name).is_some() {
            return error.hint(format!("a function is called: `{name}(...)`"));
        }
        let functions = Function::WORDS.join(", ");
        error.hint(format!(
            "the variables are {}; the functions are {functions}, match, isinstance, get",
            variables.join(", ")
        ))
    }

    pub(super) fn call(&mut self, name: &str, position: usize) -> Parsed<Node> {
        self.at += 1;
        match name {
            "isinstance" => return self.is_instance(),
            "match" => return self.matches(),
            // `get('X')` is a field of the first variable.
            "get" if !self.variables.is_empty() => {
                let node = Node::Variable(0);
                let receiver = Expr { node, position };
                return self.method(receiver, "get", position);
            }
            _ => {}
        }
        let Some(function) = Function::from_word(name) else {
            return Err(self.unknown_name(name, position));
        };
        let arguments = self.items(")")?;
        check_count(name, function.arguments(), arguments.len(), position)?;
        Ok(Node::Call(function, arguments))
    }

    /// `isinstance(x, str)`, `isinstance(x, (int, float))`, behind its `(`.
    pub(super) fn is_instance(&mut self) -> Parsed<Node> {
        let value = self.expression(binding::LOOSEST)?;
        self.expect_mark(",")?;
        let several = self.take_mark("(");
        let mut types = vec![self.type_name()?];
        while several && self.take_mark(",") && !self.is_mark(")") {
            types.push(self.type_name()?);
        }
        if several {
            self.expect_mark(")")?;
        }
        self.expect_mark(")")?;
        Ok(Node::IsInstance(Box::new(value), types))
    }

    pub(super) fn type_name(&mut self) -> Parsed<Type> {
        let found = match self.peek() {
            TokenKind::Name(name) => Type::from_word(name),
            _ => None,
        };
        let Some(found) = found else {
            let hint = format!("the types are {}", Type::WORDS.join(", "));
            return Err(self.unexpected("a type").hint(hint));
        };
        self.at += 1;
        Ok(found)
    }

    /// `match('pattern', x)`, behind its `(`. The pattern is compiled here, once.
    pub(super) fn matches(&mut self) -> Parsed<Node> {
        let position = self.position();
        let TokenKind::Text(pattern) = self.next() else {
            self.at -= 1;
            return Err(self.unexpected("the pattern as a text"));
        };
        self.expect_mark(",")?;
        let value = self.expression(binding::LOOSEST)?;
        self.expect_mark(")")?;
        // Only the beginning must match.
        let regex = Pattern::new(&format!(r"\A(?:{pattern})")).map_err(|error| {
            let message = format!("`{pattern}` is no pattern: {error}");
            ExpressionError::new(position, message)
        })?;
        Ok(Node::Matches(Box::new(regex), Box::new(value)))
    }
}
