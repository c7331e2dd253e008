//! Python lambdas of existing configurations, read as expressions.

use serde_json::Value;

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

/// What a lambda says, in words of ours.
#[derive(Debug, Clone, PartialEq)]
pub enum NativeLambda {
    /// It always gives this value.
    Constant(Value),
    /// An expression over the variable that was asked for.
    Expression(String),
}

/// Writes a Python lambda of one parameter as an expression over `variable`. Spaces and quotes stay as they
/// are.
pub fn native_lambda(text: &str, variable: &str) -> Result<NativeLambda, ExpressionError> {
    let (parameter, expression) = read(text)?;
    if let Some(value) = expression.constant() {
        return Ok(NativeLambda::Constant(value.clone()));
    }
    let tokens = tokens(text)?;
    let taken = |token: &Token| matches!(&token.kind, TokenKind::Name(name) if name == variable);
    if let Some(token) = tokens
        .iter()
        .find(|token| parameter != variable && taken(token))
    {
        let message = format!("`{variable}` is a name of its own here");
        return Err(ExpressionError::new(token.position, message));
    }
    let native = match named_function(&tokens) {
        Some(body) => body.replacen("value", variable, 1),
        None => renamed(text, &tokens[3..], &parameter, variable),
    };
    Expression::parse(&native, &[variable])?;
    Ok(NativeLambda::Expression(native))
}

/// The text of the tokens, with other names for the parameter and for functions of Python modules.
fn renamed(text: &str, tokens: &[Token], parameter: &str, variable: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let mut native = String::new();
    let mut rest = tokens;
    while let [token, following @ ..] = rest {
        let (name, used) = match functions_of_python(rest) {
            Some((name, used)) => (Some(name), used),
            None => match &token.kind {
                TokenKind::Name(name) if name == parameter && !native.ends_with('.') => {
                    (Some(variable), 1)
                }
                _ => (None, 1),
            },
        };
        let end = |token: Option<&Token>| token.map_or(letters.len(), |token| token.position);
        let after = end(following.get(used - 1));
        let written: String = letters[token.position..after].iter().collect();
        match name {
            Some(name) => {
                native.push_str(name);
                native.push_str(&written[written.trim_end().len()..]);
            }
            None => native.push_str(&written),
        }
        rest = &rest[used..];
    }
    native.trim().to_owned()
}

/// Functions of modules of the Python system, and how many tokens their names are.
fn functions_of_python(tokens: &[Token]) -> Option<(&'static str, usize)> {
    const NAMES: [(&[&str], &str); 3] = [
        (&["re", "match"], "match"),
        (&["parse_datetime"], "date"),
        (&["datetime", "datetime", "strptime"], "date"),
    ];
    let is =
        |token: &Token, word: &str| matches!(&token.kind, TokenKind::Name(name) if name == word);
    NAMES.iter().find_map(|(words, native)| {
        // Names with dots between them.
        let used = 2 * words.len() - 1;
        let named = tokens.get(..used)?;
        let fits = words
            .iter()
            .zip(named.iter().step_by(2))
            .all(|(word, token)| is(token, word));
        fits.then_some((*native, used))
    })
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_lambda_has_native_words() {
        for (lambda, native) in [
            (
                "lambda c: c['a'] if c['b'][7:14] == 'c' else None",
                "x['a'] if x['b'][7:14] == 'c' else None",
            ),
            ("lambda s: s[0] + s[-2:]", "x[0] + x[-2:]"),
            ("lambda a: 'a' + str( a )", "'a' + str( x )"),
            (
                "lambda c: [x['v'] for x in c.get('c')]",
                "[x['v'] for x in r.get('c')]",
            ),
            (
                "lambda row: re.match('^S2', row[0]) and True",
                "match('^S2', x[0]) and True",
            ),
            ("lambda row: parse_datetime(row[0])", "date(x[0])"),
            (
                "lambda row: datetime.datetime.strptime(row[0], '%Y')",
                "date(x[0], '%Y')",
            ),
            ("int", "int(x)"),
            ("str.upper", "x.upper()"),
        ] {
            let variable = if native.contains("r.get") { "r" } else { "x" };
            let expected = NativeLambda::Expression(native.to_owned());
            assert_eq!(
                native_lambda(lambda, variable).unwrap(),
                expected,
                "{lambda}"
            );
        }
        let constant = NativeLambda::Constant(json!("PRIP"));
        assert_eq!(native_lambda("lambda c: 'PRIP'", "x").unwrap(), constant);
        assert!(native_lambda("lambda c: open(c)", "x").is_err());
    }
}
