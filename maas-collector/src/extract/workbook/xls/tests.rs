use serde_json::{Value, json};

use crate::extract::testing::{Collected, extractor};
use crate::extract::workbook::testing::file;

fn record(kind: u16, data: &[u8]) -> Vec<u8> {
    let length = data.len() as u16;
    [&kind.to_le_bytes()[..], &length.to_le_bytes(), data].concat()
}

/// Row, column and style of a cell, and what it holds.
fn cell(kind: u16, row: u16, column: u16, style: u16, data: &[u8]) -> Vec<u8> {
    let head = [row, column, style].map(u16::to_le_bytes).concat();
    record(kind, &[&head, data].concat())
}

/// A workbook of one sheet `S` with these records.
fn workbook(cells: &[Vec<u8>]) -> Vec<u8> {
    let bof = record(0x809, &[0, 6, 0, 0]);
    // The second text goes on in the next record, with wide letters there.
    let texts = [
        record(0xFC, b"\x02\0\0\0\x02\0\0\0\x03\0\0day\x03\0\0a"),
        record(0x3C, b"\x01b\0\xe9\0"),
    ];
    let styles = [record(0xE0, &[0, 0, 0, 0]), record(0xE0, &[0, 0, 14, 0])];
    let head = |start: u32| {
        let sheet = [&start.to_le_bytes()[..], b"\0\0\x01\0S"].concat();
        let parts = [
            &bof[..],
            &styles.concat(),
            &texts.concat(),
            &record(0x85, &sheet),
        ];
        [parts.concat(), record(0xA, &[])].concat()
    };
    let start = head(0).len() as u32;
    let sheet = [bof.clone(), cells.concat(), record(0xA, &[])].concat();
    contained([head(start), sheet].concat())
}

/// A stream in its container: header, one sector of allocations, one of the directory, the stream.
fn contained(mut stream: Vec<u8>) -> Vec<u8> {
    stream.resize(stream.len().max(4096).next_multiple_of(512), 0);
    let sectors = (stream.len() / 512) as u32;
    let mut head = vec![0; 512];
    head[..8].copy_from_slice(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1");
    head[30] = 9;
    head[48] = 1;
    head[68..512].fill(0xFF);
    head[76..80].fill(0);
    let next = (3..2 + sectors).chain([u32::MAX - 1]);
    let next = [u32::MAX - 2, u32::MAX - 1].into_iter().chain(next);
    let mut table: Vec<u8> = next.flat_map(u32::to_le_bytes).collect();
    table.resize(512, 0xFF);
    let mut directory = vec![0; 512];
    let name: Vec<u8> = "WORKBOOK"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    directory[128..128 + name.len()].copy_from_slice(&name);
    directory[128 + 64] = 18;
    directory[128 + 116] = 2;
    directory[128 + 120..128 + 124].copy_from_slice(&(stream.len() as u32).to_le_bytes());
    [head, table, directory, stream].concat()
}

/// A workbook of some kinds of cells.
pub(in crate::extract) fn sample() -> Vec<u8> {
    workbook(&[
        cell(0xFD, 0, 0, 0, &[0, 0, 0, 0]),
        cell(0xFD, 0, 1, 0, &[1, 0, 0, 0]),
        cell(0x203, 1, 0, 1, &45315.0_f64.to_le_bytes()),
        // Hundredths of a whole number, then two numbers together.
        cell(0x27E, 1, 1, 0, &((150_u32 << 2) | 3).to_le_bytes()),
        record(0xBD, b"\x01\0\x02\0\0\0\x0a\0\0\0\0\0\x0e\0\0\0\x03\0"),
        cell(0x205, 1, 4, 0, &[1, 0]),
        cell(0x205, 1, 5, 0, &[7, 1]),
        cell(0x06, 1, 6, 0, &[0, 0, 0, 0, 0, 0, 0xFF, 0xFF]),
        record(0x207, b"\x02\0\0ok"),
        cell(0x204, 2, 0, 0, b"\x01\0\0x"),
    ])
}

fn extract(settings: Value, cells: &[Vec<u8>]) -> Collected {
    let file = file(&workbook(cells));
    Collected::from(&*extractor("xlsx", &settings), file.path())
}

#[test]
fn cells_are_those_of_the_new_format() {
    let fields = json!({"id": "day", "b": "ab\u{e9}", "c": 2, "d": 3, "e": 4, "f": 5, "g": 6});
    let file = file(&sample());
    let extractor = extractor("xlsx", &json!({"fields": fields}));
    let found = Collected::from(&*extractor, file.path());
    assert!(found.error.is_none(), "{:?}", found.error);
    assert_eq!(
        found.records,
        [
            json!({"id": {"$datetime": "2024-01-24T00:00:00"}, "b": 1.5, "c": 2.0, "d": 3.0, "e": 1, "f": 7, "g": "ok", "reportName": "in"}),
            json!({"id": "x", "b": "", "c": "", "d": "", "e": "", "f": "", "g": "", "reportName": "in"}),
        ]
    );
}

#[test]
fn what_is_cut_short_is_told() {
    let error = extract(json!({"fields": {"a": 0}}), &[record(0x203, &[0, 0])]).error;
    assert_eq!(error.unwrap().to_string(), "sheet `S`: a cell is cut short");
    let error = extract(json!({"fields": {"a": 0}}), &[record(0x2F, &[1, 0])]).error;
    assert!(error.is_none(), "it stands in the head only");
}
