//! Python lambdas of existing configurations, read as expressions.

use super::parse::parse_tokens;
use super::syntax::{Function, Method};
use super::token::{Token, TokenKind, tokens};
use super::{Expression, ExpressionError};

/// The parameter and the body of `lambda x: body`; or of a function that is only named.
pub(super) fn read(text: &str) -> Result<(String, Expression), ExpressionError> {
    let mut tokens = tokens(text)?;
    if let Some(body) = named_function(&tokens) {
        let expression = Expression::parse(&body, &["value"])?;
        return Ok(("value".to_owned(), expression));
    }
    let kinds: Vec<&TokenKind> = tokens.iter().map(|token| &token.kind).collect();
    let parameter = match kinds.as_slice() {
        [
            TokenKind::Name(word),
            TokenKind::Name(parameter),
            TokenKind::Mark(":"),
            ..,
        ] if word == "lambda" => parameter.clone(),
        _ => {
            let error = ExpressionError::new(0, "expected a lambda of one parameter");
            return Err(error.hint("`lambda x: ...`, or the name of a function as `int`"));
        }
    };
    tokens.drain(..3);
    let expression = Expression {
        root: parse_tokens(tokens, &[&parameter], true)?,
        variables: vec![parameter.clone()],
    };
    Ok((parameter, expression))
}

/// `int`, `str.upper`: callables that are not written as a lambda.
fn named_function(tokens: &[Token]) -> Option<String> {
    let kinds: Vec<&TokenKind> = tokens.iter().map(|token| &token.kind).collect();
    match kinds.as_slice() {
        [TokenKind::Name(name), TokenKind::End] => {
            let known =
                Function::from_word(name).is_some_and(|function| function != Function::Date);
            known.then(|| format!("{name}(value)"))
        }
        [
            TokenKind::Name(kind),
            TokenKind::Mark("."),
            TokenKind::Name(name),
            TokenKind::End,
        ] => {
            let plain =
                Method::from_word(name).is_some_and(|method| method.arguments().contains(&0));
            (kind == "str" && plain).then(|| format!("value.{name}()"))
        }
        _ => None,
    }
}
