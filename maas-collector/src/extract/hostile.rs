//! Bytes that nobody made in good faith: no extractor panics, or gives anything without end.

use std::io::{Cursor, Write};
use std::ops::ControlFlow;
use std::sync::LazyLock;

use maas_model::document::Source;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::json;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::testing::extractor;
use super::workbook::testing::{file, workbook, zipped};
use super::workbook::xls;
use super::{BadRecord, Extractor, Input, Origin, RecordSink};

/// Records that are enough to know that more would come.
const ENOUGH: usize = 1000;

/// Extractors of binary formats, with settings that reach everything.
static EXTRACTORS: LazyLock<Vec<Box<dyn Extractor>>> = LazyLock::new(|| {
    let everything = json!({"header_rows": 0, "fields": {"row": {"expr": "row"}}});
    let headed = json!({"header_rows": 2, "partial": true, "fields": {"a": "day"}});
    let columns = json!({"header_field": "h", "cell_field": "c"});
    let csv = json!({"extract": {"csv": {"header": false, "fields": {"a": 0}}}});
    vec![
        extractor("xlsx", &everything),
        extractor("xlsx", &headed),
        extractor("xlsx_columns", &columns),
        extractor("edrs_pass_status", &json!({})),
        extractor("anomaly_correlation", &json!({})),
        extractor("archive", &csv),
    ]
});

/// Files to start from.
static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let rows = r#"<row r="7"><c r="R7" t="inlineStr"><is><t>2024</t></is></c></row>
        <row r="8"><c r="B8" t="s"><v>0</v></c></row><row r="11"><c r="B11" s="1"><v>1.5</v></c>
        <c r="C11" t="b"><v>1</v></c><c t="e"><v>#N/A</v></c><c t="str"><v>x_x0041_</v></c></row>"#;
    let texts = b"<sst><si><t>LINK SESSIONS DETAILS</t></si><si><r><t>a&amp;</t></r></si></sst>";
    let packed = workbook(rows, texts);
    let members: [(&str, &[u8]); 2] = [("a/b.csv", b"1,2\n3,4\n"), ("c.csv", b"5\n")];
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        tar.append_data(&mut header, format!("{}{name}", "x".repeat(120)), bytes)
            .unwrap();
    }
    let tar = tar.into_inner().unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&tar).unwrap();
    vec![
        stored(&packed),
        packed,
        xls::tests::sample(),
        zipped(&members),
        tar,
        gzip.finish().unwrap(),
    ]
});

/// The same zip file without compression, so that changes reach what is in it.
fn stored(packed: &[u8]) -> Vec<u8> {
    let mut from = zip::ZipArchive::new(Cursor::new(packed)).unwrap();
    let mut to = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for number in 0..from.len() {
        let mut member = from.by_index(number).unwrap();
        let name = member.name().unwrap().into_owned();
        to.start_file(name, options).unwrap();
        std::io::copy(&mut member, &mut to).unwrap();
    }
    to.finish().unwrap().into_inner()
}

#[derive(Default)]
struct Enough {
    taken: usize,
}

impl Enough {
    fn take(&mut self) -> ControlFlow<()> {
        self.taken += 1;
        match self.taken {
            ENOUGH.. => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    }
}

impl RecordSink for Enough {
    fn record(&mut self, _record: Source, origin: &Origin<'_>) -> ControlFlow<()> {
        let bad = origin.bad(None, "looked at");
        assert!(bad.raw.len() <= BadRecord::LONGEST * 4);
        self.take()
    }

    fn bad(&mut self, _bad: BadRecord) -> ControlFlow<()> {
        self.take()
    }
}

fn extract(bytes: &[u8]) {
    let file = file(bytes);
    for extractor in EXTRACTORS.iter() {
        let input = Input {
            path: file.path(),
            name: "a",
            folder: None,
        };
        let mut sink = Enough::default();
        let _ = extractor.extract(&input, &mut sink);
        assert!(sink.taken <= ENOUGH);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(seed in 0..SEEDS.len(), kept in 0..600_usize, bytes in vec(any::<u8>(), 0..600)) {
        let head = &SEEDS[seed];
        extract(&[&head[..kept.min(head.len())], &bytes[..]].concat());
    }

    #[test]
    fn changed_files(
        seed in 0..SEEDS.len(),
        changes in vec((any::<Index>(), any::<u8>()), 1..12),
        cut in proptest::option::weighted(0.2, any::<Index>()),
    ) {
        let mut bytes = SEEDS[seed].clone();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        extract(&bytes);
    }
}
