//! Extraction with everything up to the document: ids, coercion, index. Reported as bytes of input per
//! second of one core.

// A bench ends at the first surprise.
#![allow(clippy::unwrap_used, missing_docs)]

use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use maas_collector::extract::{BadRecord, Extractor, ExtractorPlugin, Input, Origin, RecordSink};
use maas_model::document::{IdFields, Source};
use maas_model::model::{Model, ModelSpec};
use serde_json::{Value, json};

/// The allocator of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const RECORDS: usize = 2_000;

/// Does with a record what the ingest path does on the extractor's thread.
struct Documents {
    model: Model,
    id: IdFields,
    made: usize,
}

impl RecordSink for Documents {
    fn record(&mut self, mut record: Source, _origin: &Origin<'_>) -> ControlFlow<()> {
        let id = self.id.id_of(&record).unwrap();
        self.model.coerce(&mut record).unwrap();
        record.insert("ingestionTime".into(), "2026-11-01T00:00:00.000Z".into());
        std::hint::black_box((id, self.model.index_of(&record).unwrap(), record));
        self.made += 1;
        ControlFlow::Continue(())
    }

    fn bad(&mut self, bad: BadRecord) -> ControlFlow<()> {
        panic_on(&bad)
    }
}

fn panic_on(bad: &BadRecord) -> ControlFlow<()> {
    assert!(bad.reason.is_empty(), "{bad:?}");
    ControlFlow::Break(())
}

fn model() -> Model {
    let spec: ModelSpec = serde_json::from_value(json!({
        "index": "raw-data-prip-product",
        "raw": true,
        "partition": {"field": "ingestionTime", "format": "%Y-%m"},
        "fields": {
            "product_id": "keyword", "product_name": "keyword", "content_length": "long",
            "publication_date": "date", "start_date": "date", "end_date": "date",
            "origin_date": "date", "eviction_date": "date", "interface_name": "keyword",
            "cloud_cover": "keyword", "footprint": "geo_shape",
        },
    }))
    .unwrap();
    spec.build("PripProduct").unwrap()
}

/// An OData page of products of about 3 kB, footprint included.
fn json_page() -> Vec<u8> {
    let product = |number: usize| {
        let ring: Vec<Value> = (0..40)
            .map(|p| json!([p as f64 * 0.3 - 120.457423032, 34.546928289]))
            .collect();
        let text: Vec<String> = (0..40)
            .map(|p| format!("-{p}.457423032 34.546928289"))
            .collect();
        json!({
            "Id": format!("021ff211-d0d8-4140-a988-{number:012}"),
            "Name": format!("S2A_OPER_MSI_L1C_DS_2APS_20240330T134450_S20240330T125019_N05.{number:02}.tar"),
            "EvictionDate": "2024-04-06T13:51:20.471Z",
            "OriginDate": "2024-03-30T13:38:27.795Z",
            "PublicationDate": "2024-03-30T13:51:20.471Z",
            "ContentLength": 9_296_107,
            "ContentDate": {"Start": "2024-03-30T12:50:19.000Z", "End": "2024-03-30T12:51:58.000Z"},
            "GeoFootprint": {"type": "Polygon", "coordinates": [ring]},
            "Footprint": text.join(","),
            "Attributes": [
                {"@odata.type": "#OData.CSC.StringAttribute", "Name": "productGroupId", "ValueType": "String", "Value": "G"},
                {"@odata.type": "#OData.CSC.DoubleAttribute", "Name": "cloudCover", "ValueType": "Double", "Value": 7.5},
            ],
        })
    };
    let products: Vec<Value> = (0..RECORDS).map(product).collect();
    serde_json::to_vec(&json!({"@odata.context": "$metadata#Products", "value": products})).unwrap()
}

fn csv_file() -> Vec<u8> {
    let mut text = b"id;name;size;start;stop;published;station\n".to_vec();
    for number in 0..RECORDS {
        let dates = "2024-03-30T12:50:19.000Z;2024-03-30T12:51:58.000Z;2024-03-30T13:51:20.471Z";
        writeln!(
            text,
            "{number:08};\"S2A_OPER_{number}\";{number};{dates};SGS"
        )
        .unwrap();
    }
    text
}

/// A daily report: texts that all sheets share, numbers, dates.
fn xlsx_file() -> Vec<u8> {
    let mut texts = String::from("<sst>");
    let mut rows = String::from("<row>");
    let header = [
        "id",
        "name",
        "size",
        "start",
        "stop",
        "published",
        "station",
    ];
    for (number, name) in header.iter().enumerate() {
        texts.push_str(&format!("<si><t>{name}</t></si>"));
        rows.push_str(&format!("<c t=\"s\"><v>{number}</v></c>"));
    }
    rows.push_str("</row>");
    for number in 0..RECORDS {
        texts.push_str(&format!(
            "<si><t>{number:08}</t></si><si><t>S2A_OPER_{number}</t></si>"
        ));
        let (row, text, day) = (
            number + 2,
            7 + 2 * number,
            45315.218 + number as f64 / 977.0,
        );
        rows.push_str(&format!(
            "<row r=\"{row}\"><c r=\"A{row}\" t=\"s\"><v>{text}</v></c><c r=\"B{row}\" t=\"s\"><v>{}</v></c>\
            <c r=\"C{row}\"><v>{number}</v></c><c r=\"D{row}\" s=\"1\"><v>{day}</v></c>\
            <c r=\"E{row}\" s=\"1\"><v>{day}</v></c><c r=\"F{row}\" s=\"1\"><v>{day}</v></c>\
            <c r=\"G{row}\" t=\"s\"><v>6</v></c></row>",
            text + 1
        ));
    }
    let sheet = format!("<worksheet><sheetData>{rows}</sheetData></worksheet>");
    texts.push_str("</sst>");
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in [
        (
            "xl/workbook.xml",
            "<workbook><sheets><sheet name=\"S\" r:id=\"r\"/></sheets></workbook>",
        ),
        (
            "xl/_rels/workbook.xml.rels",
            "<r><Relationship Id=\"r\" Type=\"/worksheet\" Target=\"s.xml\"/></r>",
        ),
        (
            "xl/styles.xml",
            "<s><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"22\"/></cellXfs></s>",
        ),
        ("xl/sharedStrings.xml", &texts),
        ("xl/s.xml", &sheet),
    ] {
        zip.start_file(name, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A list of acquisitions of about 900 bytes each, indented as such lists are.
fn xml_list() -> Vec<u8> {
    let mut text = b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Acquisitions>\n".to_vec();
    for number in 0..RECORDS {
        writeln!(
            text,
            r#"  <Acquisition id="{number:08}">
    <Header>
      <Mission>Sentinel-2A</Mission>
      <Name>S2A_OPER_REP_PASS_E_SGS_20240330T134450_{number}</Name>
      <Downlink_Orbit>{number}</Downlink_Orbit>
      <Notes>clear &amp; complete, without remarks</Notes>
    </Header>
    <StationDownlinkDetails station="SGS_">
      <DownlinkStartTime>2024-03-30T12:50:19.000Z</DownlinkStartTime>
      <DownlinkEndTime>2024-03-30T12:51:58.000Z</DownlinkEndTime>
      <Published>2024-03-30T13:51:20.471Z</Published>
      <DownlinkStatus>OK</DownlinkStatus>
      <FEP_Information>
        <FER_Downlink unit="ratio">0.000000000</FER_Downlink>
        <FER_Data unit="ratio">0.000000000</FER_Data>
        <Frames channel="1">1834251</Frames>
        <Frames channel="2">1834250</Frames>
      </FEP_Information>
    </StationDownlinkDetails>
  </Acquisition>"#
        )
        .unwrap();
    }
    text.extend_from_slice(b"</Acquisitions>\n");
    text
}

fn log_file() -> Vec<u8> {
    let mut text = Vec::new();
    for number in 0..RECORDS {
        writeln!(
            text,
            "[INGESTOR-7][2024-03-30T13:51:20.471Z][{number}][MON] PDI: S2A_OPER_{number} published, SIZE=[{number}]"
        )
        .unwrap();
        writeln!(
            text,
            "[INGESTOR-7][2024-03-30T13:51:20.472Z][{number}][INFO] waiting for the next one"
        )
        .unwrap();
    }
    text
}

fn run(extractor: &dyn Extractor, path: &Path, documents: &mut Documents) {
    let input = Input {
        path,
        name: "page.json",
        folder: None,
    };
    documents.made = 0;
    extractor.extract(&input, documents).unwrap();
    assert_eq!(documents.made, RECORDS);
}

fn bench(c: &mut Criterion) {
    let dates = json!({
        "product_id": "$.Id", "product_name": "$.Name", "content_length": "$.ContentLength",
        "publication_date": "$.PublicationDate", "start_date": "$.ContentDate.Start",
        "end_date": "$.ContentDate.End", "origin_date": "$.OriginDate", "eviction_date": "$.EvictionDate",
        "cloud_cover": "$.Attributes[?@.Name=='cloudCover'].Value", "interface_name": {"value": "PRIP_S2A"},
    });
    let mut with_footprint = dates.clone();
    let expr = "record['GeoFootprint'] if record['Name'][9:19] == 'MSI_L1C_DS' else None";
    with_footprint["footprint"] = json!({"expr": expr});
    let columns = json!({
        "product_id": "id", "product_name": "name", "content_length": "size", "start_date": "start",
        "end_date": "stop", "publication_date": "published", "interface_name": {"value": "S"},
    });
    let elements = json!({
        "product_id": {"attr": "id"}, "product_name": "Header/Name",
        "content_length": "Header/Downlink_Orbit",
        "start_date": "StationDownlinkDetails/DownlinkStartTime",
        "end_date": "StationDownlinkDetails/DownlinkEndTime",
        "publication_date": "StationDownlinkDetails/Published",
        "cloud_cover": "StationDownlinkDetails/FEP_Information/Frames[@channel='2']",
        "interface_name": {"value": "EDS"},
    });
    let lines = r"\[[^\]]+\]\[(?P<publication_date>[^\]]+)\]\[(?P<product_id>\d+)\]\[MON\] PDI: (?P<interface_name>\S+) published";
    let page = json_page();
    let mut documents = Documents {
        model: model(),
        id: IdFields::Digest(vec!["product_id".into(), "interface_name".into()]),
        made: 0,
    };
    for (name, plugin, settings, text) in [
        (
            "json",
            "json",
            json!({"records": "$.value", "partial": true, "fields": dates}),
            &page,
        ),
        (
            "json with footprints",
            "json",
            json!({"records": "$.value", "partial": true, "fields": with_footprint}),
            &page,
        ),
        ("csv", "csv", json!({"fields": columns}), &csv_file()),
        ("xlsx", "xlsx", json!({"fields": columns}), &xlsx_file()),
        (
            "xml",
            "xml",
            json!({"records": "Acquisition", "fields": elements}),
            &xml_list(),
        ),
        ("log", "log", json!({"pattern": lines}), &log_file()),
    ] {
        let extractor = ExtractorPlugin::find(plugin)
            .unwrap()
            .build(&settings)
            .unwrap();
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text).unwrap();
        let mut group = c.benchmark_group("extract");
        group
            .throughput(Throughput::Bytes(text.len() as u64))
            .sample_size(20);
        group.bench_function(name, |b| {
            b.iter(|| run(&*extractor, file.path(), &mut documents))
        });
        group.finish();
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
