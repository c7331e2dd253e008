use super::*;
use crate::extract::xml::records::Records;

const FILE: &str = "<root version='2'><a>  padded  </a><b/><d>one<s>two</s>three</d>\
    <list><i k='1' t='x'>A</i><i k='2' t='y'>B</i><i t='x'><n>N</n></i></list>\
    <deep><x><y>1</y></x><x><y>2</y><y>3</y></x></deep><p:q xmlns:p='urn:p'><p:r/></p:q></root>";

fn found(text: &str) -> Result<Vec<String>, String> {
    let mut names = Names::default();
    let namespaces = Namespaces::from([("z".to_owned(), "urn:p".to_owned())]);
    let path = Path::parse(text, &namespaces, &mut names).map_err(|error| error.to_string())?;
    let again = Path::parse(&path.in_full(&names), &Namespaces::new(), &mut names);
    assert_eq!(again.as_ref(), Ok(&path), "{text}");
    let mut records = Records::new(FILE.as_bytes(), names, None).unwrap();
    assert!(records.advance().unwrap());
    let tree = records.tree();
    let nodes = path.all(tree, Tree::TOP)?;
    assert_eq!(
        path.first(tree, Tree::TOP)?,
        nodes.first().copied(),
        "{text}"
    );
    Ok(nodes
        .into_iter()
        .map(|node| {
            format!(
                "{}={}",
                tree.names.local(tree.name(node)),
                tree.inner_text(node)
            )
        })
        .collect())
}

#[test]
fn paths_lead_where_elementtree_leads() {
    for (path, expected) in [
        ("a", vec!["a=  padded  "]),
        (".", vec!["root=  padded  onetwothreeABN123"]),
        ("d", vec!["d=onetwothree"]),
        ("list/i", vec!["i=A", "i=B", "i=N"]),
        ("list/", vec!["i=A", "i=B", "i=N"]),
        ("list/i[2]", vec!["i=B"]),
        ("list/i[last()]", vec!["i=N"]),
        ("list/i[last()-1]", vec!["i=B"]),
        ("list/i[9]", vec![]),
        ("list/i[@k]", vec!["i=A", "i=B"]),
        ("list/i[@t='x']", vec!["i=A", "i=N"]),
        ("list/i[@t != \"x\"]", vec!["i=B"]),
        ("list/i[n]", vec!["i=N"]),
        ("list/i[n='N']", vec!["i=N"]),
        ("list/i[.='B']", vec!["i=B"]),
        ("list/i[.!='B']", vec!["i=A", "i=N"]),
        ("list/i[@t='x'][@k='1']", vec!["i=A"]),
        (".//y", vec!["y=1", "y=2", "y=3"]),
        (".//y/..", vec!["x=1", "x=23"]),
        (".//y/../..", vec!["deep=123"]),
        ("..", vec![]),
        ("deep/*/y", vec!["y=1", "y=2", "y=3"]),
        ("deep//y", vec!["y=1", "y=2", "y=3"]),
        (".//*//y", vec!["y=1", "y=2", "y=3", "y=1", "y=2", "y=3"]),
        ("{urn:p}q/z:r", vec!["r="]),
        ("{*}q/{urn:p}*", vec!["r="]),
        ("{}*[2]", vec![]),
        ("q", vec![]),
    ] {
        let expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
        assert_eq!(found(path), Ok(expected), "{path}");
    }
}

#[test]
fn mistakes_have_a_place() {
    for (path, expected) in [
        ("", "the path is empty"),
        (
            "/a",
            "starts below the element: `a/b`, or `.//b` at any depth at character 1",
        ),
        ("a/@b", "an attribute is no step"),
        ("a/text()", "functions are not supported"),
        ("a[b and c]", "`]` is missing"),
        (
            "a[0]",
            "positions count from 1; `last()` is the last at character 3",
        ),
        (
            "a[@b=c]",
            "a text in quotes is missing behind `=` at character 6",
        ),
        ("a b", "`/` is missing before ` ` at character 2"),
        ("x:a", "`namespaces` has no prefix `x`"),
        ("a//..", "after `//`"),
        ("{urn", "`}` is missing"),
        ("a/1b", "`1b` is no name at character 3"),
    ] {
        let error = found(path).unwrap_err();
        assert!(error.contains(expected), "{path}: {error}");
    }
}

#[test]
fn a_path_that_goes_forward_is_known() {
    for (path, forward) in [
        ("a/b", true),
        ("./a/.//b", true),
        (".//a[@x='1']", true),
        ("a[@x]/b", false),
        (".//a/b", false),
        ("a[1]", false),
        ("a/..", false),
    ] {
        let path = Path::parse(path, &Namespaces::new(), &mut Names::default()).unwrap();
        assert_eq!(path.forward().is_some(), forward, "{path:?}");
    }
}
