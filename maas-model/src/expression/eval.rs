//! The value of an expression: a walk over its parts with a bounded number of steps.

use std::borrow::Cow;

use serde_json::Value;

use super::compare::{compare, truth};
use super::error::Fault;
use super::syntax::{Each, Expr, Node, Operator};
use super::{EvalError, functions, item, methods, numbers};
use crate::pattern::Pattern;

/// Steps of one evaluation. The largest expression of production takes some 30; a comprehension over a
/// list of 10,000 takes 50,000.
const STEPS: usize = 1_000_000;

/// The largest text that is made, in bytes.
pub(super) const MAX_TEXT: usize = 16 << 20;

/// A value of the caller, a constant, or one that was made.
pub(super) type Part<'a> = Cow<'a, Value>;

pub(super) fn eval<'a>(expr: &'a Expr, variables: &[&'a Value]) -> Result<Part<'a>, EvalError> {
    let mut run = Run {
        variables,
        locals: Vec::new(),
        steps: STEPS,
    };
    run.value(expr)
}

struct Run<'a, 'v> {
    variables: &'v [&'a Value],
    locals: Vec<Part<'a>>,
    steps: usize,
}

/// What an absent variable is.
static NULL: Value = Value::Null;

impl<'a> Run<'a, '_> {
    fn value(&mut self, expr: &'a Expr) -> Result<Part<'a>, EvalError> {
        self.spend(1).map_err(|fault| fault.at(expr.position))?;
        match &expr.node {
            Node::Constant(value) => Ok(Cow::Borrowed(value)),
            Node::Variable(slot) => {
                let value = self.variables.get(*slot).copied();
                Ok(Cow::Borrowed(value.unwrap_or(&NULL)))
            }
            Node::Local(slot) => Ok(self
                .locals
                .get(*slot)
                .cloned()
                .unwrap_or(Cow::Borrowed(&NULL))),
            Node::And(both) => {
                let left = self.value(&both.0)?;
                if truth(&left) {
                    self.value(&both.1)
                } else {
                    Ok(left)
                }
            }
            Node::Or(both) => {
                let left = self.value(&both.0)?;
                if truth(&left) {
                    Ok(left)
                } else {
                    self.value(&both.1)
                }
            }
            Node::Not(inner) => Ok(Cow::Owned(Value::Bool(!truth(&*self.value(inner)?)))),
            Node::If(parts) => {
                let condition = self.value(&parts.condition)?;
                let branch = if truth(&condition) {
                    &parts.then
                } else {
                    &parts.otherwise
                };
                self.value(branch)
            }
            Node::Each(each) => self.each(each, expr.position),
            Node::List(items) => {
                let mut list = Vec::with_capacity(items.len());
                for item in items {
                    let value = self.value(item)?;
                    list.push(self.keep(value).map_err(|fault| fault.at(item.position))?);
                }
                Ok(Cow::Owned(Value::Array(list)))
            }
            _ => self.operation(expr),
        }
    }

    fn operation(&mut self, expr: &'a Expr) -> Result<Part<'a>, EvalError> {
        let at = |fault: Fault| fault.at(expr.position);
        match &expr.node {
            Node::Item(both) => {
                let of = self.value(&both.0)?;
                let index = self.value(&both.1)?;
                item::item(of, &index).map_err(at)
            }
            Node::Slice(of, bounds) => {
                let of = self.value(of)?;
                let mut values = [None, None, None];
                for (value, bound) in values.iter_mut().zip(bounds.iter()) {
                    if let Some(bound) = bound {
                        *value = item::bound(&*self.value(bound)?)
                            .map_err(|fault| fault.at(bound.position))?;
                    }
                }
                let sliced = item::slice(&of, values).map_err(at)?;
                self.made(sliced).map_err(at)
            }
            Node::Method(receiver, method, arguments) => {
                let receiver = self.value(receiver)?;
                methods::check(&receiver, *method).map_err(at)?;
                let arguments = self.arguments(arguments)?;
                if let Value::String(_) = &*receiver {
                    self.read(&receiver).map_err(at)?;
                }
                let value = methods::call(receiver, *method, arguments).map_err(at)?;
                self.made(value).map_err(at)
            }
            Node::Call(function, arguments) => {
                let arguments = self.arguments(arguments)?;
                let value = functions::call(*function, &arguments).map_err(at)?;
                self.made(value).map_err(at)
            }
            Node::IsInstance(value, types) => {
                let value = self.value(value)?;
                let found = types
                    .iter()
                    .any(|kind| functions::is_instance(&value, *kind));
                Ok(Cow::Owned(Value::Bool(found)))
            }
            Node::Matches(regex, value) => match &*self.value(value)? {
                Value::String(text) => match self.search(regex, text) {
                    Ok(true) => Ok(Cow::Owned(Value::Bool(true))),
                    Ok(false) => Ok(Cow::Borrowed(&NULL)),
                    Err(fault) => Err(at(fault)),
                },
                _ => Err(at(Fault::kind("`match` wants a text"))),
            },
            Node::Negative(inner) => {
                let value = self.value(inner)?;
                numbers::negative(&value).map(Cow::Owned).map_err(at)
            }
            Node::Binary(operator, both) => {
                let left = self.value(&both.0)?;
                let right = self.value(&both.1)?;
                let value = match operator {
                    Operator::Add => numbers::add(&left, &right),
                    Operator::Multiply => numbers::multiply(&left, &right),
                    other => numbers::arithmetic(*other, &left, &right),
                };
                self.made(Cow::Owned(value.map_err(at)?)).map_err(at)
            }
            Node::Compare(first, chain) => {
                let mut left = self.value(first)?;
                for (comparison, next) in chain {
                    let right = self.value(next)?;
                    self.read(&right).map_err(at)?;
                    if !compare(*comparison, &left, &right).map_err(at)? {
                        return Ok(Cow::Owned(Value::Bool(false)));
                    }
                    left = right;
                }
                Ok(Cow::Owned(Value::Bool(true)))
            }
            Node::Object(fields) => {
                let mut object = serde_json::Map::new();
                for (key, value) in fields {
                    let Value::String(key) = self.value(key)?.into_owned() else {
                        return Err(at(Fault::kind("the keys of an object are texts")));
                    };
                    let value = self.value(value)?;
                    object.insert(key, self.keep(value).map_err(at)?);
                }
                Ok(Cow::Owned(Value::Object(object)))
            }
            // The others are in `value`.
            _ => Ok(Cow::Borrowed(&NULL)),
        }
    }

    fn arguments(&mut self, arguments: &'a [Expr]) -> Result<Vec<Part<'a>>, EvalError> {
        arguments
            .iter()
            .map(|argument| self.value(argument))
            .collect()
    }

    fn each(&mut self, each: &'a Each, position: usize) -> Result<Part<'a>, EvalError> {
        let list = self.value(&each.list)?;
        let items = item::items(list).map_err(|fault| fault.at(each.list.position))?;
        let mut results = Vec::new();
        for item in items {
            self.locals.push(item);
            let result = self.one_of_each(each);
            self.locals.pop();
            if let Some(result) = result? {
                results.push(self.keep(result).map_err(|fault| fault.at(position))?);
            }
        }
        Ok(Cow::Owned(Value::Array(results)))
    }

    fn one_of_each(&mut self, each: &'a Each) -> Result<Option<Part<'a>>, EvalError> {
        if let Some(filter) = &each.filter
            && !truth(&*self.value(filter)?)
        {
            return Ok(None);
        }
        self.value(&each.result).map(Some)
    }

    /// Whether the pattern matches. Its steps are small ones: all of an evaluation are worth one longest search.
    fn search(&mut self, pattern: &Pattern, text: &str) -> Result<bool, Fault> {
        self.spend(pattern.steps(text) >> 12)?;
        pattern.is_match(text).map_err(|_| Fault::too_much())
    }

    /// Counts what it takes to look at all of a value.
    fn read(&mut self, value: &Value) -> Result<(), Fault> {
        match value {
            Value::String(text) => self.spend(text.len() / 1024),
            Value::Array(_) | Value::Object(_) => self.spend(weight(value)),
            Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
        }
    }

    fn spend(&mut self, steps: usize) -> Result<(), Fault> {
        self.steps = self.steps.checked_sub(steps).ok_or_else(Fault::too_much)?;
        Ok(())
    }

    /// Counts what a new value took to make.
    fn made(&mut self, value: Part<'a>) -> Result<Part<'a>, Fault> {
        if let Cow::Owned(made) = &value {
            let size = match made {
                Value::String(text) => text.len() / 64,
                Value::Array(items) => items.len(),
                _ => 0,
            };
            self.spend(size)?;
        }
        Ok(value)
    }

    /// A value to be put into a list or object; copying it counts.
    fn keep(&mut self, value: Part<'a>) -> Result<Value, Fault> {
        if let Cow::Borrowed(borrowed) = &value {
            self.spend(weight(borrowed))?;
        }
        Ok(value.into_owned())
    }
}

fn weight(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(weight).sum::<usize>(),
        Value::Object(fields) => 1 + fields.values().map(weight).sum::<usize>(),
        Value::String(text) => 1 + text.len() / 64,
        Value::Null | Value::Bool(_) | Value::Number(_) => 1,
    }
}
