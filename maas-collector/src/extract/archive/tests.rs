use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::extract::testing::{Collected, extractor};
use crate::extract::workbook::testing::{file, zipped};
use crate::extract::{Extractor, Input};

const CSV: &[u8] = b"id\n1\n";

fn archive(members: &str) -> Box<dyn Extractor> {
    let settings = json!({
        "members": members,
        "extract": {"csv": {"fields": {"id": "id"}}},
        "most_mebibytes": 256,
        "most_members": 10,
    });
    extractor("archive", &settings)
}

fn extract(name: &str, members: &str, bytes: &[u8]) -> Collected {
    let file = file(bytes);
    let mut found = Collected::default();
    let input = Input {
        path: file.path(),
        name,
        folder: None,
    };
    found.error = archive(members).extract(&input, &mut found).err();
    found
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

fn tarred(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        // Not by the crate, which refuses names that lead out of the folder.
        if name.len() < 100 {
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_cksum();
            tar.append(&header, *bytes).unwrap();
        } else {
            tar.append_data(&mut header, name, *bytes).unwrap();
        }
    }
    tar.into_inner().unwrap()
}

fn reports(found: &Collected) -> Vec<Value> {
    let reports = found
        .records
        .iter()
        .map(|record| record["reportName"].clone());
    reports.collect()
}

#[test]
fn members_that_match_are_read() {
    let long = format!("{}/long.csv", "x".repeat(200));
    let members: [(&str, &[u8]); 4] = [
        ("a.csv", CSV),
        ("in/../../b.csv", CSV),
        ("c.xml", b"<c/>"),
        (&long, CSV),
    ];
    for (name, bytes) in [
        ("a.zip", zipped(&members)),
        ("a.tar", tarred(&members)),
        ("a.tgz", gzipped(&tarred(&members))),
    ] {
        let found = extract(name, "*.csv", &bytes);
        assert!(found.error.is_none() && found.bad.is_empty(), "{name}");
        assert_eq!(reports(&found), ["a.csv", "b.csv", "long.csv"], "{name}");
    }
    let found = extract("a.zip", "in/*", &zipped(&members));
    assert_eq!(reports(&found), ["b.csv"]);
}

#[test]
fn a_single_file_may_be_packed_or_not() {
    let found = extract("a.csv.gz", "*.csv", &gzipped(CSV));
    assert_eq!(reports(&found), ["a.csv"]);
    let found = extract("a.csv", "*.xml", CSV);
    assert_eq!(reports(&found), ["a.csv"]);
}

#[test]
fn a_broken_member_costs_itself_alone() {
    let members: [(&str, &[u8]); 2] = [("a.csv", b"\xff\n"), ("b.csv", CSV)];
    let found = extract("a.zip", "*", &zipped(&members));
    assert_eq!(reports(&found), ["b.csv"]);
    assert_eq!(found.bad[0].place, "member `a.csv`, byte 1");
    assert!(found.error.is_none());
}

#[test]
fn what_is_no_archive_or_broken_is_told() {
    let whole = zipped(&[("a.csv", CSV)]);
    for (name, bytes, told) in [
        (
            "a.zip",
            whole[..whole.len() - 30].to_vec(),
            "it is no zip file, or its end is missing",
        ),
        (
            "a.tgz",
            gzipped(&tarred(&[("a.csv", CSV)])[..514]),
            "the archive ends in the middle of it",
        ),
        ("a.tar.bz2", b"BZh9....".to_vec(), "it is packed with bzip2"),
    ] {
        let error = extract(name, "*", &bytes).error.unwrap();
        assert!(error.reason.contains(told), "{name}: {error}");
    }
}

#[test]
fn wrong_settings_are_told_with_their_path() {
    let plugin = crate::extract::ExtractorPlugin::find("archive").unwrap();
    for (settings, path) in [
        (
            json!({"extract": {"csv": {"fields": {"a": {"expr": "("}}}}}),
            "extract.csv.fields.a.expr",
        ),
        (json!({"extract": {"archive": {}}}), "extract"),
        (json!({"extract": {}}), "extract"),
        (
            json!({"members": "[", "extract": {"csv": {"fields": {}}}}),
            "members",
        ),
    ] {
        let errors = plugin.build(&settings).err().unwrap();
        assert_eq!(errors[0].path, path, "{errors:?}");
    }
}
