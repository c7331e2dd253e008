//! From words and marks to an expression: a Pratt parser.

use serde_json::Value;

use super::ExpressionError;
use super::syntax::{Comparison, Each, Expr, Function, IfElse, Method, Node, Operator, Type};
use super::token::{Token, TokenKind, tokens};
use crate::pattern::Pattern;

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

    fn primary(&mut self) -> Parsed<Expr> {
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

    fn constant(&mut self, value: Value) -> Node {
        self.at += 1;
        Node::Constant(value)
    }

    /// `(a)`, or `(a, b)`, which is a list here.
    fn parenthesis(&mut self, position: usize) -> Parsed<Expr> {
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
    fn items(&mut self, close: &str) -> Parsed<Vec<Expr>> {
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
    fn list(&mut self) -> Parsed<Node> {
        // The variable is named behind the expression that uses it.
        if let Some((name, at)) = self.comprehension() {
            return self.each(name, at);
        }
        Ok(Node::List(self.items("]")?))
    }

    /// The variable of a comprehension that begins here, and where its `for` is.
    fn comprehension(&self) -> Option<(String, usize)> {
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

    fn each(&mut self, name: String, for_at: usize) -> Parsed<Node> {
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

    fn object(&mut self) -> Parsed<Node> {
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

    fn name(&mut self, name: &str, position: usize) -> Parsed<Node> {
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
    fn module_member(&mut self, name: &str) -> String {
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

    fn unknown_name(&self, name: &str, position: usize) -> ExpressionError {
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

    fn call(&mut self, name: &str, position: usize) -> Parsed<Node> {
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
    fn is_instance(&mut self) -> Parsed<Node> {
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

    fn type_name(&mut self) -> Parsed<Type> {
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
    fn matches(&mut self) -> Parsed<Node> {
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

    fn postfix(&mut self, mut expr: Expr) -> Parsed<Expr> {
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
    fn method(&mut self, receiver: Expr, name: &str, position: usize) -> Parsed<Node> {
        let Some(method) = Method::from_word(name) else {
            let error = ExpressionError::new(position, format!("unknown method `{name}`"));
            return Err(error.hint(format!("the methods are {}", Method::WORDS.join(", "))));
        };
        let arguments = self.items(")")?;
        check_count(name, method.arguments(), arguments.len(), position)?;
        Ok(Node::Method(Box::new(receiver), method, arguments))
    }

    /// `[i]` or `[from:to:step]`, behind its `[`.
    fn item(&mut self, of: Expr) -> Parsed<Node> {
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

    /// Joins `left` with what follows, when its operator binds tighter than `least`.
    fn infix(&mut self, left: Expr, least: u8) -> Parsed<Joined> {
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

    fn operator(&self) -> Option<(u8, Join)> {
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

    fn comparison(&mut self) -> Option<Comparison> {
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

enum Joined {
    Yes(Expr),
    No(Expr),
}

enum Join {
    If,
    Or,
    And,
    Binary(Operator),
    Compare,
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
