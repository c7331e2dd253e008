use serde_json::json;

use super::*;

#[test]
fn chains_and_the_general_evaluator_agree() {
    let node = json!({
        "a": {"b": [{"n": "x", "v": 1}, {"n": "y", "v": 2}, {"n": "x", "v": [3]}]},
        "b c": "blank",
    });
    for text in [
        "$",
        "$.a.b[0].v",
        "$.a.b[-1].v",
        "$.a.b[7].v",
        "$.a.b[*].n",
        "$.a.b[1:].v",
        "$.a.b[:2].v",
        "$.a.b[::-1].v",
        "$.a.b[-2:-1].v",
        "$.a.b[::0].v",
        "$.a.b[?@.n=='x'].v",
        "$.a.b[?(@.n == \"y\")].v",
        "$['b c']",
        "$.a.b[0]['n','v']",
        "$.a.*[0].v",
        "$.nothing.at.all",
    ] {
        let path = JsonPath::parse(text).unwrap();
        assert!(
            matches!(path.kind, Kind::Chain(_)),
            "{text} is walked directly"
        );
        let general = serde_json_path::JsonPath::parse(text).unwrap();
        let found = path.find(&node);
        let found: Vec<_> = found.first.into_iter().chain(found.more).collect();
        assert_eq!(found, general.query(&node).all(), "{text}");
    }
}

#[test]
fn what_is_no_path_is_refused_with_the_text() {
    for text in ["", "a.b", "$.", "$.a[", "$.a b", "$[01]", "$.a[?]"] {
        let error = JsonPath::parse(text).unwrap_err();
        assert_eq!(error.text, text);
    }
}

/// Each of them once took for ever, or the whole stack.
#[test]
fn a_path_without_end_is_refused_at_once() {
    for (text, reason) in [
        (format!("$.a{}", "[?@.n.a".repeat(500)), "levels deep"),
        (format!("$[?{}@.a", "(".repeat(500)), "levels deep"),
        (format!("$[?{}@.a]", "!".repeat(5_000)), "longer"),
        (format!("${}", "[:]".repeat(50_000)), "longer"),
        ("$..a..b".to_owned(), "more than once"),
        ("$..[?@..a]".to_owned(), "more than once"),
        ("$[?$[?$[?@.a]]]".to_owned(), "for each value"),
        ("$.a[?@.b == $.c[*]]".to_owned(), "for each value"),
        ("$.a[?$ [ ? @.b]]".to_owned(), "for each value"),
        ("$.a[?count($.a[1:]) > 1]".to_owned(), "for each value"),
        ("$[?$..a]".to_owned(), "for each value"),
        ("$[?match(@.a, @.b)]".to_owned(), "in quotes"),
        ("$[?!search(@.a['x'], @['b'])]".to_owned(), "in quotes"),
        ("$[?search(@.a, '\\w{50}')]".to_owned(), "in quotes"),
        ("$[?match(@.a)]".to_owned(), "in quotes"),
    ] {
        let error = JsonPath::parse(&text).unwrap_err();
        assert!(error.reason.contains(reason), "{error}");
        assert!(error.text.len() < 200);
    }
    // As long and as deep as they may be.
    for text in [
        "$.a[?@.b == $.c['*?'][0] && @.d[*]]".to_owned(),
        "$.a[?@.match == 'match(']".to_owned(),
        "$.a[?search(@['b,c'], '^S2[AB]_')]".to_owned(),
        format!("${}", "[:]".repeat(1_300)),
        format!("$[?{}@.a{}]", "(".repeat(5), ")".repeat(5)),
        format!("$[?@.a{}1{}]", "[?@.b=='x' || @.c".repeat(5), "]".repeat(5)),
        format!("$[?{}@.a]", "!".repeat(4_000)),
        format!("$.a{}", "[?@.n.a".repeat(6)),
    ] {
        let started = std::time::Instant::now();
        let path = JsonPath::parse(&text);
        let took = started.elapsed();
        assert!(took.as_millis() < 500, "{took:?}: {text}");
        if let Ok(path) = path {
            path.value(&json!("a")).unwrap();
        }
    }
}

#[test]
fn a_slice_takes_a_single_object_as_a_list_of_one() {
    let path = JsonPath::parse("$.f[:].value").unwrap();
    assert_eq!(path.value(&json!({"f": {"value": 1}})), Ok(Some(json!(1))));
    assert_eq!(path.value(&json!({"f": null})), Ok(None));
}

#[test]
fn values_within_values_are_not_copied_without_end() {
    let path = JsonPath::parse("$..a").unwrap();
    let nested = |depth: usize, leaf: Value| (0..depth).fold(leaf, |inner, _| json!({"a": inner}));
    assert_eq!(
        path.value(&nested(2, json!(1))),
        Ok(Some(json!([{"a": 1}, 1])))
    );
    let error = path
        .value(&nested(100, json!(vec![0; 20_000])))
        .unwrap_err();
    assert!(error.contains("more than 1000000 values"), "{error}");
    let quoted = JsonPath::parse("$['a..b..c']").unwrap();
    assert_eq!(quoted.value(&json!({"a..b..c": 1})), Ok(Some(json!(1))));
}

#[test]
fn an_old_path_that_is_none_is_refused_as_such() {
    for old in ["$.l[-:]", "$.l[::::]", "$.l[?N|m=='x'].V"] {
        let error = from_legacy(old, Dialect::Extended).unwrap_err();
        assert_eq!(error.text, old);
    }
}

#[test]
fn old_paths_are_written_in_the_standard_dialect() {
    for (old, new) in [
        ("`this`.Name", "$.Name"),
        ("a.b", "$.a.b"),
        ("$.value", "$.value"),
        (
            "`this`.Attributes[?Name=='x'].Value",
            "$.Attributes[?@.Name=='x'].Value",
        ),
        ("$.'-dash'.@type", "$['-dash']['@type']"),
        ("`this`.l[0].in|out.id", "$.l[0]['in','out'].id"),
        ("$..p", "$..p"),
        ("$.b[?n!='x' & p<10]", "$.b[?(@.n && @.n!='x') && @.p<10]"),
        ("$.it['don\\'t']", "$.it['don\\'t']"),
    ] {
        assert_eq!(
            from_legacy(old, Dialect::Extended).as_deref(),
            Ok(new),
            "{old}"
        );
        assert!(JsonPath::parse(new).is_ok(), "{new}");
    }
}

/// And every path in an example that is none of expressions.
#[test]
fn the_page_about_expressions_is_right_about_paths() {
    let page = include_str!("../../../../../docs/expressions.md");
    let (_, rest) = page.split_once("```paths\n").unwrap();
    let (table, _) = rest.split_once("```").unwrap();
    let mut checked = 0;
    for line in table.lines() {
        let (old, new) = line.split_once("   ").unwrap();
        let translated = from_legacy(old, Dialect::Extended);
        assert_eq!(translated.as_deref(), Ok(new.trim()), "{old}");
        assert!(JsonPath::parse(new.trim()).is_ok(), "{new}");
        checked += 1;
    }
    assert_eq!(checked, 9);
    for operator in ["parent", "len", "keys"] {
        assert!(page.contains(&format!("`` `{operator}` ``")));
        assert!(from_legacy(&format!("$.a.`{operator}`"), Dialect::Extended).is_err());
    }
}
