//! Expressions over values: what mapped fields and converters are written in.
//!
//! A small total language with the look and the rules of Python expressions: every evaluation ends,
//! within a bounded number of steps, with a value or an error that has a place. The language is described
//! in `docs/expressions.md`. The lambdas of existing Python configurations are read by the same parser
//! and never run as code.

mod compare;
mod error;
mod eval;
mod functions;
mod item;
mod lambda;
mod methods;
mod numbers;
mod parse;
mod strptime;
mod syntax;
mod token;

use std::borrow::Cow;

use serde_json::Value;

pub use error::{EvalError, EvalErrorKind, ExpressionError};
pub use lambda::{NativeLambda, native_lambda};

/// An expression that was read and checked. Cheap to evaluate many times, from many threads.
#[derive(Debug, Clone)]
pub struct Expression {
    root: syntax::Expr,
    variables: Vec<String>,
}

impl Expression {
    /// Reads `text`, which may use `variables`. `get('X')` is a field of the first of them.
    pub fn parse(text: &str, variables: &[&str]) -> Result<Self, ExpressionError> {
        Ok(Self {
            root: parse::parse(text, variables, false)?,
            variables: variables.iter().map(|name| (*name).to_owned()).collect(),
        })
    }

    /// Reads a Python lambda of one parameter, or the name of a function (`int`, `str.upper`). Gives the
    /// name of the parameter too.
    pub fn from_lambda(text: &str) -> Result<(String, Self), ExpressionError> {
        lambda::read(text)
    }

    /// The value for these variables. A variable that is not given is null.
    pub fn eval(&self, scope: &[(&str, &Value)]) -> Result<Value, EvalError> {
        let null = Value::Null;
        let value_of = |name: &String| {
            let given = scope.iter().find(|(given, _)| given == name);
            given.map_or(&null, |(_, value)| *value)
        };
        let variables: Vec<&Value> = self.variables.iter().map(value_of).collect();
        eval::eval(&self.root, &variables).map(Cow::into_owned)
    }

    /// The value when its first variable is `value`.
    pub fn eval_one(&self, value: &Value) -> Result<Value, EvalError> {
        eval::eval(&self.root, &[value]).map(Cow::into_owned)
    }

    /// The value, when it is the same for all variables.
    pub fn constant(&self) -> Option<&Value> {
        match &self.root.node {
            syntax::Node::Constant(value) => Some(value),
            _ => None,
        }
    }
}

#[cfg(test)]
mod page;
#[cfg(test)]
mod tests;
