//! Small files that would become huge are refused, in little memory. In a process of their own, so that its
//! memory can be told.

// A test ends at the first surprise.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::Write;
use std::ops::ControlFlow;

use flate2::{Compress, Compression, Crc, FlushCompress};
use maas_collector::extract::{BadRecord, ExtractorPlugin, Input, Origin, RecordSink};
use maas_model::document::Source;
use serde_json::{Value, json};

const MEBIBYTE: usize = 1 << 20;
const MOST_RESIDENT_MEBIBYTES: u64 = 256;

#[test]
fn bombs_are_refused_in_little_memory() {
    let zeros = vec![0; MEBIBYTE];
    let csv =
        json!({"most_mebibytes": 64, "extract": {"csv": {"fields": {"id": 0}, "header": false}}});
    let sheet = json!({"fields": {"a": 0}});
    let texts = [&b"<si><t>"[..], &vec![b'a'; MEBIBYTE], b"</t></si>"].concat();
    let empty_texts = b"<si/>".repeat(MEBIBYTE / 5);
    let one_text = vec![b'a'; MEBIBYTE];
    let deep = b"<si>".repeat(MEBIBYTE / 4);
    for (name, plugin, settings, bytes, told) in [
        (
            "a.gz",
            "archive",
            &csv,
            gzip(b"", &zeros, 1024),
            "larger than 64 MiB",
        ),
        (
            "a.tar.gz",
            "archive",
            &csv,
            gzip(&tar_header(1024 * MEBIBYTE as u64), &zeros, 1024),
            "larger than 64 MiB",
        ),
        (
            "a.zip",
            "archive",
            &csv,
            zip(&[("a.csv", b"", &zeros, 1024)]),
            "larger than 64 MiB",
        ),
        (
            "names.tar.gz",
            "archive",
            &csv,
            gzip(&long_name(), &zeros, 1024),
            "longer than 64 KiB",
        ),
        (
            "texts.xlsx",
            "xlsx",
            &sheet,
            workbook(b"<sst>", &texts, 400),
            "longer than 64 MiB",
        ),
        (
            "empty texts.xlsx",
            "xlsx",
            &sheet,
            workbook(b"<sst uniqueCount=\"99999999999\">", &empty_texts, 400),
            "longer than 64 MiB",
        ),
        (
            "text.xlsx",
            "xlsx",
            &sheet,
            workbook(b"<sst><si><t>", &one_text, 400),
            "longer than 4 MiB",
        ),
        (
            "deep.xlsx",
            "xlsx",
            &sheet,
            workbook(b"<sst>", &deep, 400),
            "deeper than 64",
        ),
        (
            "part.xlsx",
            "xlsx",
            &sheet,
            workbook(b"<sst>", &texts, 2000),
            "more than 512 MiB",
        ),
    ] {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&bytes).unwrap();
        let error = extract(plugin, settings, file.path(), name);
        assert!(error.contains(told), "{name}: {error}");
        let peak = peak_mebibytes();
        println!("{name}: {} bytes, peak {peak} MiB: {error}", bytes.len());
        assert!(peak < MOST_RESIDENT_MEBIBYTES, "{name}: {peak} MiB");
    }
    xml_bombs_are_refused_in_little_memory();
    json_bombs_are_refused_in_little_memory();
}

fn xml_bombs_are_refused_in_little_memory() {
    let settings = json!({"fields": {"a": "a"}});
    let entities: String = (1..16)
        .map(|level| {
            format!(
                "<!ENTITY e{level} '{}'>",
                format!("&e{};", level - 1).repeat(10)
            )
        })
        .collect();
    let entities = format!("<!DOCTYPE a [<!ENTITY e0 'ha'>{entities}]><a>&e15;");
    let text = "x".repeat(MEBIBYTE) + "&amp;";
    let elements = "<b c=''/>".repeat(MEBIBYTE / 8);
    for (name, first, piece, times, told) in [
        ("entities.xml", entities.as_str(), "", 0, "more than 8 MiB"),
        ("texts.xml", "<a>", text.as_str(), 66, "longer than 64 MiB"),
        (
            "elements.xml",
            "<a>",
            elements.as_str(),
            9,
            "more than a million",
        ),
        (
            "attribute.xml",
            "<a b='",
            text.as_str(),
            18,
            "longer than 16 MiB",
        ),
        ("deep.xml", "", "<a>", MEBIBYTE, "deeper than 1024"),
    ] {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(first.as_bytes()).unwrap();
        for _ in 0..times {
            file.write_all(piece.as_bytes()).unwrap();
        }
        let error = extract("xml", &settings, file.path(), name);
        assert!(error.contains(told), "{name}: {error}");
        let peak = peak_mebibytes();
        assert!(peak < MOST_RESIDENT_MEBIBYTES, "{name}: {peak} MiB");
    }
}

/// Two bytes of text are up to a hundred in memory.
fn json_bombs_are_refused_in_little_memory() {
    let numbers = "0,".repeat(MEBIBYTE / 2);
    let empty = "{},".repeat(MEBIBYTE / 3);
    let whole = json!({"fields": {"a": "$.a"}});
    let records = json!({"records": "$", "fields": {"a": "$.a"}});
    for (name, settings, first, piece, times, told) in [
        (
            "large.json",
            &whole,
            "[",
            &numbers,
            65,
            "larger than 64 MiB",
        ),
        (
            "numbers.json",
            &whole,
            "[",
            &numbers,
            60,
            "more than 1000000 values",
        ),
        (
            "element.json",
            &records,
            "[{\"a\":[",
            &numbers,
            60,
            "more than 1000000 values",
        ),
        (
            "objects.json",
            &records,
            "[[",
            &empty,
            65,
            "longer than 64 MiB",
        ),
    ] {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(first.as_bytes()).unwrap();
        for _ in 0..times {
            file.write_all(piece.as_bytes()).unwrap();
        }
        file.write_all(b"0]}]").unwrap();
        let error = extract("json", settings, file.path(), name);
        assert!(error.contains(told), "{name}: {error}");
        let peak = peak_mebibytes();
        assert!(peak < MOST_RESIDENT_MEBIBYTES, "{name}: {peak} MiB");
    }
}

fn extract(plugin: &str, settings: &Value, path: &std::path::Path, name: &str) -> String {
    let plugin = ExtractorPlugin::find(plugin).unwrap();
    let extractor = plugin.build(settings).unwrap();
    let input = Input {
        path,
        name,
        folder: None,
    };
    let mut told = Told::default();
    match extractor.extract(&input, &mut told) {
        Err(error) => error.to_string(),
        Ok(()) => told.bad,
    }
}

/// Forgets records, keeps what is wrong.
#[derive(Default)]
struct Told {
    bad: String,
}

impl RecordSink for Told {
    fn record(&mut self, _record: Source, _origin: &Origin<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn bad(&mut self, bad: BadRecord) -> ControlFlow<()> {
        self.bad = bad.reason;
        ControlFlow::Continue(())
    }
}

/// `first`, then `piece` many times, packed; the packed piece stands for itself wherever it is.
fn packed(first: &[u8], piece: &[u8], times: usize) -> Vec<u8> {
    let mut bytes = flushed(first);
    let piece = flushed(piece);
    for _ in 0..times {
        bytes.extend_from_slice(&piece);
    }
    // An empty last block.
    bytes.extend_from_slice(&[3, 0]);
    bytes
}

fn flushed(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(bytes.len() + 1024);
    let mut compress = Compress::new(Compression::best(), false);
    compress
        .compress_vec(bytes, &mut packed, FlushCompress::Full)
        .unwrap();
    assert_eq!(compress.total_in(), bytes.len() as u64);
    packed
}

fn gzip(first: &[u8], piece: &[u8], times: usize) -> Vec<u8> {
    let head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0];
    // Without the checksum, which nobody comes to.
    [&head[..], &packed(first, piece, times)].concat()
}

fn tar_header(size: u64) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.set_path("a.csv").unwrap();
    header.set_size(size);
    header.set_cksum();
    header.as_bytes().to_vec()
}

fn long_name() -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.set_path("././@LongLink").unwrap();
    header.set_entry_type(tar::EntryType::GNULongName);
    header.set_size(1 << 32);
    header.set_cksum();
    header.as_bytes().to_vec()
}

type Part<'a> = (&'a str, &'a [u8], &'a [u8], usize);

/// A zip file of members of `first` and many pieces.
fn zip(parts: &[Part<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut directory = Vec::new();
    for (name, first, piece, times) in parts {
        let packed = packed(first, piece, *times);
        let start = bytes.len() as u32;
        let mut crc = Crc::new();
        crc.update(first);
        let size = (first.len() + piece.len() * times).min(u32::MAX as usize - 1) as u32;
        let mut head = [20, 0, 0, 0, 8, 0, 0, 0, 0, 0].to_vec();
        for number in [crc.sum(), packed.len() as u32, size] {
            head.extend_from_slice(&number.to_le_bytes());
        }
        head.extend_from_slice(&(name.len() as u32).to_le_bytes());
        bytes.extend_from_slice(b"PK\x03\x04");
        bytes.extend_from_slice(&head);
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(&packed);
        directory.extend_from_slice(b"PK\x01\x02\x14\0");
        directory.extend_from_slice(&head);
        directory.extend_from_slice(&[0; 10]);
        directory.extend_from_slice(&start.to_le_bytes());
        directory.extend_from_slice(name.as_bytes());
    }
    let (start, size) = (bytes.len() as u32, directory.len() as u32);
    let members = (parts.len() as u16).to_le_bytes();
    bytes.extend_from_slice(&directory);
    bytes.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    bytes.extend_from_slice(&[members, members].concat());
    for number in [size, start] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    bytes.extend_from_slice(&[0; 2]);
    bytes
}

/// A workbook with these shared texts.
fn workbook(first: &[u8], piece: &[u8], times: usize) -> Vec<u8> {
    let contents = b"<workbook><sheets><sheet name=\"S\" r:id=\"r1\"/></sheets></workbook>";
    zip(&[
        ("xl/workbook.xml", contents, b"", 0),
        ("xl/sharedStrings.xml", first, piece, times),
    ])
}

/// How much memory this process had at most so far.
fn peak_mebibytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    let number = line
        .and_then(|line| line.split_whitespace().nth(1))
        .unwrap();
    number.parse::<u64>().unwrap() >> 10
}
