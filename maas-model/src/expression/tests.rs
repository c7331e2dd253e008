use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::cases::Cases;

fn eval(text: &str, value: Value) -> Result<Value, String> {
    let expression = Expression::parse(text, &["x"]).map_err(|error| error.to_string())?;
    expression
        .eval_one(&value)
        .map_err(|error| error.to_string())
}

#[test]
fn lambdas_give_the_recorded_answers() {
    let mut calls = 0;
    Cases::of("lambdas.json").run(|case| {
        let text = case["lambda"].as_str().ok_or("no lambda")?;
        let (_, expression) =
            Expression::from_lambda(text).map_err(|error| format!("{text}: {error}"))?;
        for call in case["cases"].as_array().into_iter().flatten() {
            calls += 1;
            let got = expression.eval_one(&call["input"]);
            let agrees = match (&got, call.get("result")) {
                // Types count: `1` is not `1.0` when an id is made of it.
                (Ok(got), Some(wanted)) => got == wanted,
                (Err(error), None) => {
                    let wanted = call["error"].as_str().unwrap_or("");
                    // Python has a type of its own for dates that cannot be read.
                    let wanted = if wanted == "ParserError" {
                        "ValueError"
                    } else {
                        wanted
                    };
                    format!("{:?}Error", error.kind) == wanted
                }
                _ => false,
            };
            if !agrees {
                return Err(format!("{text}: {call} gives {got:?}"));
            }
        }
        Ok(())
    });
    println!("{calls} calls");
}

#[test]
fn values() {
    for (text, value, wanted) in [
        // Operands, not booleans.
        ("x or 'a'", json!(""), json!("a")),
        ("x and 'a'", json!(0.0), json!(0.0)),
        ("not x", json!([]), json!(true)),
        ("not x == 1", json!(2), json!(true)),
        ("1 if x else 2 if x is None else 3", json!(0), json!(3)),
        // Equality over types; order.
        ("x == 1", json!(true), json!(true)),
        ("x == 1.0", json!(1), json!(true)),
        ("1 < x <= 3", json!(3), json!(true)),
        ("x is not None", json!(0), json!(true)),
        ("x not in ['a', 'b']", json!("c"), json!(true)),
        ("'k' in x", json!({"k": null}), json!(true)),
        ("x in ('S1A', 'S1B')", json!("S1B"), json!(true)),
        // Items and slices, by characters.
        ("x[-1]", json!("aé"), json!("é")),
        ("x[1:]", json!("éa"), json!("a")),
        ("x[::-1]", json!("abé"), json!("éba")),
        ("x[-3:-1]", json!([1, 2, 3, 4]), json!([2, 3])),
        ("x[5:1]", json!("abcdef"), json!("")),
        ("x[10:]", json!(""), json!("")),
        ("x[4:1:-2]", json!("abcdef"), json!("ec")),
        ("x['a'][0]['b']", json!({"a": [{"b": 7}]}), json!(7)),
        ("{'a': x, 'b': [1]}['a']", json!(5), json!(5)),
        ("get('a')", json!({"a": 1}), json!(1)),
        ("x.get('b', 'd')", json!({"a": 1}), json!("d")),
        ("x.keys() + x.values()", json!({"a": 1}), json!(["a", 1])),
        // Conversions.
        ("str(x)", json!([null, 1.0, "a"]), json!("[None, 1.0, 'a']")),
        ("int(x)", json!(" -7 "), json!(-7)),
        ("int(x)", json!(36102.9), json!(36102)),
        ("float(x)", json!(1), json!(1.0)),
        ("bool(x)", json!("false"), json!(true)),
        ("len(x)", json!("éa"), json!(2)),
        ("isinstance(x, (int, float))", json!(true), json!(true)),
        ("isinstance(x, str)", json!(1), json!(false)),
        (
            "date(x)",
            json!("2024-01-24T05:15:05Z"),
            json!({"$datetime": "2024-01-24T05:15:05+00:00"}),
        ),
        (
            "date(x, '%d/%m/%y %I:%M %p')",
            json!("24/1/24 5:15 PM"),
            json!({"$datetime": "2024-01-24T17:15:00"}),
        ),
        (
            "date(x, '%Y%j')",
            json!("2024024"),
            json!({"$datetime": "2024-01-24T00:00:00"}),
        ),
        (
            "match('S2[AB]_', x) is not None",
            json!("S2B_X"),
            json!(true),
        ),
        ("match(r'\\d+$', x)", json!("1a"), json!(null)),
        // Texts.
        ("x.split()", json!(" a\u{a0}b\n c "), json!(["a", "b", "c"])),
        ("x.split(None, 1)", json!(" a b c "), json!(["a", "b c "])),
        ("x.split('|')", json!(""), json!([""])),
        ("x.split('|', 1)", json!("a|b|c"), json!(["a", "b|c"])),
        ("'-'.join(x)", json!(["a", "b"]), json!("a-b")),
        ("x.replace('a', 'b', 1)", json!("aaa"), json!("baa")),
        ("x.replace('', '-')", json!("ab"), json!("-a-b-")),
        ("x.strip('ab')", json!("abcba"), json!("c")),
        (
            "x.lstrip() + '|' + x.rstrip()",
            json!(" a "),
            json!("a | a"),
        ),
        ("x.zfill(5)", json!("-42"), json!("-0042")),
        ("x.startswith(('a', 'b'))", json!("bc"), json!(true)),
        ("x.find('é')", json!("aéb"), json!(1)),
        ("x.find('z')", json!("a"), json!(-1)),
        ("x.upper().lower().isalpha()", json!("É"), json!(true)),
        ("x.isdigit()", json!("٤²"), json!(true)),
        ("'\\x41\\u00e9\\n\\\\' + x", json!(""), json!("Aé\n\\")),
        // Numbers.
        ("-x + 2 * 3 - 4", json!(1), json!(1)),
        ("(x + 1) / 2", json!(2), json!(1.5)),
        ("x // 2", json!(-3), json!(-2)),
        ("x % 3", json!(-1), json!(2)),
        ("x * 2", json!([1]), json!([1, 1])),
        ("1_0", json!(null), json!("refused")),
        (
            "9223372036854775807 + x",
            json!(1),
            json!(9_223_372_036_854_775_808_u64),
        ),
        // Comprehensions.
        (
            "[y['v'] for y in x if y['v']]",
            json!([{"v": 1}, {"v": 0}]),
            json!([1]),
        ),
        (
            "[[z + y for z in y] for y in x]",
            json!(["ab"]),
            json!([["aab", "bab"]]),
        ),
        ("[x for x in x]", json!([1]), json!([1])),
        ("[1 if y else 2 for y in x]", json!([0, 1]), json!([2, 1])),
    ] {
        match eval(text, value.clone()) {
            Ok(got) => assert_eq!(got, wanted, "{text} of {value}"),
            Err(error) => assert_eq!(json!("refused"), wanted, "{text} of {value}: {error}"),
        }
    }
}

#[test]
fn failures_have_their_kind_and_place() {
    use EvalErrorKind as K;
    for (text, value, kind, position) in [
        ("x[0]", json!(""), K::Index, 1),
        ("'' + x[3]", json!([1]), K::Index, 6),
        ("x['a']", json!({}), K::Key, 1),
        ("x[0]", json!({"0": 1}), K::Key, 1),
        ("x['a']", json!([1]), K::Type, 1),
        ("x[1:]", json!(null), K::Type, 1),
        ("x + 1", json!("a"), K::Type, 2),
        ("x < 1", json!("a"), K::Type, 2),
        ("1 in x", json!("a"), K::Type, 2),
        ("int(x)", json!("36102.0"), K::Value, 0),
        ("int(x)", json!(null), K::Type, 0),
        ("len(x)", json!(1), K::Type, 0),
        ("x.split('')", json!("a"), K::Value, 1),
        ("x.replace('a', 1)", json!("a"), K::Type, 1),
        ("x.get('a')", json!([]), K::Attribute, 1),
        ("x.lower()", json!(null), K::Attribute, 1),
        ("x[::0]", json!("a"), K::Value, 1),
        ("1 / x", json!(0), K::Value, 2),
        ("x * x * x", json!(u64::MAX), K::Value, 2),
        ("date(x)", json!("garbage"), K::Value, 0),
        ("date(x, '%Q')", json!("2024"), K::Value, 0),
        ("[y for y in x]", json!(1), K::Type, 12),
        ("'aaaaaaaaaaaaaaaa' * x", json!(1_000_000_000), K::Limit, 19),
        ("[1] * x", json!(i64::MAX), K::Limit, 4),
    ] {
        let expression = Expression::parse(text, &["x"]).expect(text);
        let error = expression.eval_one(&value).expect_err(text);
        assert_eq!(
            (error.kind, error.position),
            (kind, position),
            "{text} of {value}: {error}"
        );
    }
}

#[test]
fn evaluation_is_bounded() {
    let list = json!(vec![json!("text"); 2000]);
    for text in [
        "[[1 for b in x] for a in x]",
        "[x for a in x]",
        "[a * 100000 for a in x]",
        "[x.get('a', x) for y in ['a'] * 200000]",
    ] {
        let error = eval(text, list.clone()).unwrap_err();
        let expected = error.contains("too much of this value") || error.contains("has no `get`");
        assert!(expected, "{text}: {error}");
    }
    let deep = format!("{}x{}", "(".repeat(500), ")".repeat(500));
    let long = format!("x{}", " + x".repeat(500));
    let items = format!("x{}", "[0]".repeat(500));
    let nots = format!("{}x", "not ".repeat(500));
    for text in [deep, long, items, nots] {
        assert!(
            eval(&text, json!(1))
                .unwrap_err()
                .contains("too many parts")
        );
    }
}

#[test]
fn what_is_no_expression_is_refused_with_its_place() {
    for (text, position, message, hint) in [
        ("", 0, "expected a value, found the end", ""),
        ("y", 0, "unknown name `y`", "the variables are `x`"),
        ("str", 0, "unknown name `str`", "`str(...)`"),
        ("x.text", 1, "no attributes, found `.text`", "x.get('name')"),
        ("x.foo()", 1, "unknown method `foo`", "replace"),
        ("open('f')", 0, "unknown name `open`", "str, int"),
        ("x = 1", 2, "found `=`", "`==`"),
        ("x ** 2", 2, "found `**`", "+ - *"),
        ("f'{x}'", 0, "no `f'...'` texts", "`+`"),
        ("'abc", 0, "this text has no end", ""),
        ("x $ 1", 2, "unexpected `$`", ""),
        ("1.2.3", 0, "`1.2.3` is no number", ""),
        ("12ab", 0, "`12` is no number", ""),
        ("[x for x]", 8, "expected `in`", ""),
        ("[y for y in x", 0, "", ""),
        ("x[]", 2, "a key or position", ""),
        ("x[1:2:3:4]", 7, "expected `]`", ""),
        (
            "x.split(1, 2, 3)",
            1,
            "`split` takes 0 to 2 arguments, not 3",
            "",
        ),
        ("len(x, x)", 0, "`len` takes 1 arguments, not 2", ""),
        ("isinstance(x, set)", 14, "expected a type", "str, int"),
        ("match(x, x)", 6, "expected the pattern as a text", ""),
        ("match('(', x)", 6, "`(` is no pattern", ""),
        ("x if 1", 6, "expected `else`", ""),
        ("x not 1", 2, "expected `in` behind `not`", ""),
        ("lambda y: y", 0, "no functions within an expression", ""),
        ("re.match('a', x)", 0, "unknown name `re`", ""),
    ] {
        let error = Expression::parse(text, &["x"]).expect_err(text);
        let given = error.hint.clone().unwrap_or_default();
        assert!(
            error.message.contains(message) && given.contains(hint),
            "{text}: {error}"
        );
        assert!(
            message.is_empty() || error.position == position,
            "{text}: {error}"
        );
    }
}

#[test]
fn lambdas_are_read_or_refused() {
    for (text, parameter) in [
        ("lambda row: row", "row"),
        ("int", "value"),
        ("str.upper", "value"),
        (
            "lambda x: re.match('a', x) and datetime.datetime.strptime(x, '%Y')",
            "x",
        ),
    ] {
        let read = Expression::from_lambda(text).map(|(parameter, _)| parameter);
        assert_eq!(read.as_deref(), Ok(parameter), "{text}");
    }
    for text in [
        "lambda: 1",
        "lambda x, y: x",
        "lambda x=1: x",
        "def f(x): return x",
        "x",
        "eval",
        "lambda e: e.find('a').text",
        "lambda x: __import__('os')",
        "lambda x: (lambda y: y)(x)",
        "str.replace",
    ] {
        assert!(Expression::from_lambda(text).is_err(), "{text}");
    }
    let (_, constant) = Expression::from_lambda("lambda c: 'PRIP'").unwrap();
    assert_eq!(constant.constant(), Some(&json!("PRIP")));
}

#[test]
fn several_variables() {
    let expression = Expression::parse("value + ':' + get('k')", &["node", "value"]).unwrap();
    let (node, value) = (json!({"k": "n"}), json!("v"));
    let scope = [("value", &value), ("node", &node)];
    assert_eq!(expression.eval(&scope), Ok(json!("v:n")));
    assert_eq!(expression.eval(&[]).unwrap_err().kind, EvalErrorKind::Type);
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-c0-9 ,é]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[ab]", inner), 0..3)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// Texts that are often expressions.
fn program() -> impl Strategy<Value = String> {
    const WORDS: [&str; 44] = [
        "x",
        "'a'",
        "1",
        "2.5",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        ".get(",
        ".split(",
        ".strip(",
        ".replace('a',",
        ".zfill(",
        ".join(",
        "str(",
        "int(",
        "float(",
        "len(",
        "date(",
        "isinstance(x, str)",
        " + ",
        " - ",
        " * ",
        " / ",
        " // ",
        " % ",
        " and ",
        " or ",
        " not ",
        " in ",
        " is ",
        " if ",
        " else ",
        " for y in ",
        "y",
        " == ",
        " < ",
        "None",
        "[0]",
        "[1:-1]",
    ];
    prop::collection::vec(prop::sample::select(&WORDS[..]), 1..12).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn reading_never_panics(text in any::<String>()) {
        let _ = Expression::parse(&text, &["x"]);
        let _ = Expression::from_lambda(&text);
    }

    #[test]
    fn evaluation_never_panics(text in program(), value in json_value()) {
        if let Ok(expression) = Expression::parse(&text, &["x"]) {
            let _ = expression.eval_one(&value);
        }
    }

    #[test]
    fn every_operation_takes_every_value(a in json_value(), b in json_value()) {
        for text in [
            "a + b", "a - b", "a * b", "a / b", "a // b", "a % b", "a < b", "a in b", "a == b", "a[b]",
            "a[b:]", "a[:b]", "a[::b]", "a.get(b)", "a.split(b)", "a.strip(b)", "a.replace(b, a)",
            "a.zfill(b)", "a.join(b)", "str(a)", "int(a)", "float(a)", "len(a)", "date(a)", "date(a, b)",
            "-a", "a.startswith(b)", "[y for y in a]", "a.find(b)", "a.split(a, b)",
        ] {
            let expression = Expression::parse(text, &["a", "b"]).expect(text);
            let _ = expression.eval(&[("a", &a), ("b", &b)]);
        }
    }
}
