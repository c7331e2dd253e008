//! Archives whose members want to be somewhere else, or something else than files.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use tar::{EntryType, Header};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::extract::testing::{Collected, extractor};
use crate::extract::workbook::testing::file;
use crate::extract::{ExtractError, Input};

const CSV: &[u8] = b"id\n1\n";

/// Names that lead out of a folder on some system, and what each is called in the end.
const NAMES: [(&str, &str); 10] = [
    ("/tmp/maas-escape-1.csv", "maas-escape-1.csv"),
    ("../maas-escape-2.csv", "maas-escape-2.csv"),
    ("a/../../maas-escape-3.csv", "maas-escape-3.csv"),
    ("./../././maas-escape-4.csv", "maas-escape-4.csv"),
    ("C:\\Windows\\maas-escape-5.csv", "maas-escape-5.csv"),
    ("\\\\server\\share\\maas-escape-6.csv", "maas-escape-6.csv"),
    ("C:maas-escape-7.csv", "C:maas-escape-7.csv"),
    ("//maas-escape-8.csv", "maas-escape-8.csv"),
    ("a/./b//maas-escape-9.csv", "maas-escape-9.csv"),
    ("~/maas-escape-10.csv", "maas-escape-10.csv"),
];

fn extract(name: &str, bytes: &[u8]) -> (Collected, Option<ExtractError>) {
    let archive = file(bytes);
    let settings = json!({"members": "*", "extract": {"csv": {"fields": {"id": "id"}}}});
    let input = Input {
        path: archive.path(),
        name,
        folder: None,
    };
    let mut found = Collected::default();
    let error = extractor("archive", &settings)
        .extract(&input, &mut found)
        .err();
    (found, error)
}

/// As no library would write it: any name, any type, any target of a link.
fn tar_entry(tar: &mut Vec<u8>, kind: EntryType, name: &[u8], target: &[u8], bytes: &[u8]) {
    let mut header = Header::new_gnu();
    let old = header.as_old_mut();
    old.name[..name.len()].copy_from_slice(name);
    old.linkname[..target.len()].copy_from_slice(target);
    header.set_entry_type(kind);
    header.set_size(bytes.len() as u64);
    header.set_mode(0o777);
    header.set_cksum();
    tar.extend_from_slice(header.as_bytes());
    tar.extend_from_slice(bytes);
    tar.resize(tar.len().next_multiple_of(512), 0);
}

fn ended(mut tar: Vec<u8>) -> Vec<u8> {
    tar.resize(tar.len() + 1024, 0);
    tar
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

fn zipped() -> Vec<u8> {
    // The library mends names; so one of the same length is written, and changed afterwards.
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (number, (name, _)) in NAMES.iter().enumerate() {
        let plain = format!("{}{number:02}", "n".repeat(name.len() - 2));
        zip.start_file(plain, SimpleFileOptions::default()).unwrap();
        zip.write_all(CSV).unwrap();
    }
    let mut bytes = zip.finish().unwrap().into_inner();
    for (number, (name, _)) in NAMES.iter().enumerate() {
        let plain = format!("{}{number:02}", "n".repeat(name.len() - 2));
        let places: Vec<usize> = (0..bytes.len() - plain.len())
            .filter(|place| bytes[*place..].starts_with(plain.as_bytes()))
            .collect();
        assert_eq!(places.len(), 2, "{plain} stands in head and directory");
        for place in places {
            bytes[place..place + plain.len()].copy_from_slice(name.as_bytes());
        }
    }
    bytes
}

/// Where a member might have come to.
fn escaped() -> BTreeSet<PathBuf> {
    let folders = [
        PathBuf::from("/"),
        PathBuf::from("/tmp"),
        std::env::temp_dir(),
        std::env::temp_dir().join(".."),
        PathBuf::from("."),
        PathBuf::from(".."),
        PathBuf::from("../.."),
    ];
    let listed = folders.iter().filter_map(|folder| folder.read_dir().ok());
    let paths = listed.flat_map(|entries| entries.flatten().map(|entry| entry.path()));
    let named = |path: &PathBuf| path.to_string_lossy().contains("maas-escape");
    paths.filter(named).collect()
}

#[test]
fn no_name_leads_anywhere() {
    let mut tar = Vec::new();
    for (name, _) in NAMES {
        tar_entry(&mut tar, EntryType::Regular, name.as_bytes(), b"", CSV);
    }
    let tar = ended(tar);
    for (name, bytes) in [
        ("a.tar", tar.clone()),
        ("a.tgz", gzipped(&tar)),
        ("a.zip", zipped()),
    ] {
        let (found, error) = extract(name, &bytes);
        assert!(error.is_none() && found.bad.is_empty(), "{name}: {error:?}");
        let reports: Vec<_> = found
            .records
            .iter()
            .map(|record| record["reportName"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(reports, NAMES.map(|(_, base)| base), "{name}");
    }
    assert_eq!(escaped(), BTreeSet::new());
}

#[test]
fn what_is_no_file_is_never_read_or_made() {
    let target = file(CSV);
    let target = target.path().to_str().unwrap().as_bytes();
    let mut tar = Vec::new();
    for (kind, name) in [
        (EntryType::Symlink, &b"maas-escape-link.csv"[..]),
        (EntryType::Link, b"maas-escape-hard.csv"),
        (EntryType::Char, b"maas-escape-char.csv"),
        (EntryType::Block, b"maas-escape-block.csv"),
        (EntryType::Fifo, b"maas-escape-fifo.csv"),
        (EntryType::Directory, b"maas-escape-folder.csv"),
        (EntryType::new(b'?'), b"maas-escape-other.csv"),
    ] {
        tar_entry(&mut tar, kind, name, target, b"");
    }
    // A folder that is a link, and a file that would be written through it.
    tar_entry(&mut tar, EntryType::Symlink, b"folder", b"/tmp", b"");
    tar_entry(
        &mut tar,
        EntryType::Regular,
        b"folder/maas-escape-through.csv",
        b"",
        CSV,
    );
    let tar = ended(tar);
    for (name, bytes) in [("a.tar", tar.clone()), ("a.tar.gz", gzipped(&tar))] {
        let (found, error) = extract(name, &bytes);
        assert!(error.is_none() && found.bad.is_empty(), "{name}: {error:?}");
        assert_eq!(found.records.len(), 1, "{name}");
        assert_eq!(found.records[0]["reportName"], "maas-escape-through.csv");
    }
    assert_eq!(escaped(), BTreeSet::new());
}

#[test]
fn a_link_in_a_zip_file_is_never_read() {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    zip.add_symlink("maas-escape-link.csv", "/etc/passwd", options)
        .unwrap();
    zip.start_file("b.csv", options).unwrap();
    zip.write_all(CSV).unwrap();
    let (found, error) = extract("a.zip", &zip.finish().unwrap().into_inner());
    assert!(error.is_none(), "{error:?}");
    assert_eq!(found.records.len(), 1);
    assert_eq!(escaped(), BTreeSet::new());
}

#[test]
fn a_long_name_is_a_name_all_the_same() {
    let long = format!("../{}maas-escape-long.csv", "x/".repeat(2_000));
    let mut tar = Vec::new();
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::GNULongName);
    header.set_size(long.len() as u64);
    header.set_cksum();
    tar.extend_from_slice(header.as_bytes());
    tar.extend_from_slice(long.as_bytes());
    tar.resize(tar.len().next_multiple_of(512), 0);
    tar_entry(&mut tar, EntryType::Regular, b"short.csv", b"", CSV);
    let (found, error) = extract("a.tar", &ended(tar));
    assert!(error.is_none(), "{error:?}");
    assert_eq!(found.records[0]["reportName"], "maas-escape-long.csv");
    assert_eq!(escaped(), BTreeSet::new());
    assert!(!Path::new("x").exists());
}
