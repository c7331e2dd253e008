//! EDRS operations reports (daily, weekly, monthly workbooks): settings and extractor.

mod day;

use maas_model::document::Source;
use maas_model::plugin::{SettingError, Settings, Translation};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::field::FieldError;
use super::legacy::{Arguments, old_class};
use super::workbook::{Cell, Dates, Row, Sheet, SheetId, Workbook};
use super::xlsx::place;
use super::{ExtractError, Extractor, ExtractorConfig, ExtractorPlugin, Input, Origin, RecordSink};
use day::{Day, Year};

/// Reads the acquisition pass status of EDRS operations reports: a record for each ground station of each
/// link session.
///
/// The table is found by its title `LINK SESSIONS DETAILS` in the first sheet; the year stands in `R7`. A
/// session has two rows, one for each station; the second says only what is its own. Times are
/// `h:m:s` or time cells on the day of year of the session.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EdrsPassStatusConfig {
    /// Whether the second station of a session gets the dissemination times of the first, as in the Python
    /// system, instead of its own.
    #[serde(default)]
    dissemination_of_first_station: bool,
}

impl Settings for EdrsPassStatusConfig {
    const NAME: &'static str = "edrs_pass_status";
    const EXAMPLE: &'static str = "{ dissemination_of_first_station: true }";
}

inventory::submit! { ExtractorPlugin::of::<EdrsPassStatusConfig>(module_path!()) }
inventory::submit! { old_class("EDRSApsExtractor", translate) }

fn translate(old: &Value) -> Result<Translation, Vec<SettingError>> {
    let mut arguments = Arguments::of(old);
    arguments.ignore(&["converter_map", "allow_partial"]);
    let setting = "dissemination_of_first_station".to_owned();
    arguments.settings.insert(setting, true.into());
    arguments.finish("edrs_pass_status")
}

/// Fields that the row of a session and the row of its second station have in common, by column.
const OF_SESSION: [(&str, usize); 8] = [
    ("geo_satellite_id", 2),
    ("moc_accept_status", 7),
    ("uplink_status", 8),
    ("spacecraft_execution", 9),
    ("edte_acquisition_status", 10),
    ("dcsu_archive_status", 11),
    ("sfdap_dissem_status", 12),
    ("total_status", 13),
];
/// Fields of a station, by column.
const OF_STATION: [(&str, usize); 5] = [
    ("ground_station", 14),
    ("cadus", 17),
    ("fer", 18),
    ("archived_data_size", 19),
    ("disseminated_data", 20),
];
const CONSTANTS: [(&str, &str); 3] = [
    ("interface_name", "Jira_EDRS"),
    ("production_service_name", "EDRS-Operations"),
    ("production_service_type", "EDRS"),
];

const TITLE: &str = "LINK SESSIONS DETAILS";
const TITLE_COLUMN: usize = 1;
/// Title and column names; a row of units follows.
const HEADER_ROWS: usize = 2;

impl ExtractorConfig for EdrsPassStatusConfig {
    fn yields(&self) -> Option<Vec<String>> {
        let fields = OF_SESSION
            .iter()
            .chain(&OF_STATION)
            .map(|(field, _)| *field);
        let constants = CONSTANTS.iter().map(|(field, _)| *field);
        let others = [
            "link_session_id",
            "satellite_id",
            "mission",
            "doy",
            "planned_link_session_start",
            "planned_link_session_stop",
            "dissemination_start",
            "dissemination_stop",
            "notes",
            "report_type",
        ];
        let all = fields.chain(constants).chain(others);
        Some(all.map(str::to_owned).collect())
    }

    fn build(self) -> Result<Box<dyn Extractor>, Vec<SettingError>> {
        Ok(Box::new(EdrsPassStatusExtractor { config: self }))
    }
}

struct EdrsPassStatusExtractor {
    config: EdrsPassStatusConfig,
}

impl Extractor for EdrsPassStatusExtractor {
    fn extract(&self, input: &Input<'_>, sink: &mut dyn RecordSink) -> Result<(), ExtractError> {
        let sheet = Workbook::open(input.path)?.sheet(&SheetId::Position(0))?;
        let mut year = year(&sheet)?;
        let title = |row: &Row<'_>| row.cell(TITLE_COLUMN).text().map(str::trim) != Some(TITLE);
        let mut rows = sheet.rows().skip_while(title).skip(HEADER_ROWS);
        // Title and names are left out; the row of units is the one before the first station.
        let Some(mut before) = rows.next() else {
            return Ok(());
        };
        let mut first_station = true;
        for row in rows {
            if first_station && row.is_empty() {
                before = row;
                continue;
            }
            first_station = !first_station;
            let session = match row.cell(TITLE_COLUMN).is_something() {
                true => &row,
                false => &before,
            };
            let place = || place(&sheet, &row);
            let raw = || row.raw();
            let origin = Origin::new(&place, &raw);
            let taken = match self.record(session, &row, &mut year, input.name) {
                Ok(record) => sink.record(record, &origin),
                Err(error) => sink.bad(origin.bad(error.field, error.reason)),
            };
            if taken.is_break() {
                break;
            }
            before = row;
        }
        Ok(())
    }
}

/// The year of the report.
fn year(sheet: &Sheet) -> Result<Year, ExtractError> {
    let cell = sheet.rows().nth(6).map_or(Cell::Empty, |row| row.cell(17));
    Year::read(cell).ok_or_else(|| ExtractError {
        place: format!("sheet `{}`, cell R7", sheet.name()),
        reason: "there is no year, neither in a text (`2024`) nor as a date".into(),
    })
}

impl EdrsPassStatusExtractor {
    fn record(
        &self,
        session: &Row<'_>,
        station: &Row<'_>,
        year: &mut Year,
        name: &str,
    ) -> Result<Source, FieldError> {
        let mut record = Source::new();
        record.insert(
            "link_session_id".into(),
            value(session, 1, "link_session_id")?,
        );
        let satellite = value(session, 3, "satellite_id")?;
        let mission: String = match satellite.as_str() {
            Some(satellite) => satellite.chars().take(2).collect(),
            None => return Err(FieldError::new("satellite_id", "it is no text")),
        };
        record.insert("satellite_id".into(), satellite);
        record.insert("mission".into(), mission.into());
        let number =
            day_of_year(session.cell(4)).map_err(|reason| FieldError::new("doy", reason))?;
        let day = year.day(number);
        record.insert("doy".into(), number.into());
        planned(session, day, &mut record)?;
        for (field, column) in OF_SESSION {
            record.insert(field.into(), value(session, column, field)?);
        }
        for (field, column) in OF_STATION {
            record.insert(field.into(), value(station, column, field)?);
        }
        let times = match self.config.dissemination_of_first_station {
            true => session,
            false => station,
        };
        dissemination(station, times, day, &mut record)?;
        record.insert("notes".into(), value(session, 21, "notes")?);
        for (field, text) in CONSTANTS {
            record.insert(field.into(), text.into());
        }
        record.insert("reportName".into(), name.into());
        if let Some(kind) = report_type(name) {
            record.insert("report_type".into(), kind.into());
        }
        Ok(record)
    }
}

/// Start and stop as planned; a stop before the start is on the next day.
fn planned(session: &Row<'_>, day: Day, record: &mut Source) -> Result<(), FieldError> {
    let time = |column: usize, field| {
        let time = day.at(session.cell(column));
        time.map_err(|reason| FieldError::new(field, reason))
    };
    let start = time(5, "planned_link_session_start")?;
    let stop = time(6, "planned_link_session_stop")?.not_before(start);
    if stop == start {
        let reason = "it stops when it starts";
        return Err(FieldError::new("planned_link_session_stop", reason));
    }
    record.insert("planned_link_session_start".into(), start.value());
    record.insert("planned_link_session_stop".into(), stop.value());
    Ok(())
}

/// Start and stop of the dissemination, as far as the row of the station has any. One that cannot be read
/// is null.
fn dissemination(
    station: &Row<'_>,
    times: &Row<'_>,
    day: Day,
    record: &mut Source,
) -> Result<(), FieldError> {
    let time = |column: usize| {
        let given = value(station, column, "dissemination").is_ok_and(|value| !value.is_null());
        given.then(|| day.at(times.cell(column)).ok())
    };
    let (start, mut stop) = (time(15), time(16));
    if let Some(Some(stop)) = &mut stop {
        let Some(Some(start)) = start else {
            let reason = "there is a stop without a start that can be read";
            return Err(FieldError::new("dissemination_stop", reason));
        };
        *stop = stop.not_before(start);
    }
    for (field, time) in [("dissemination_start", start), ("dissemination_stop", stop)] {
        if let Some(time) = time {
            let value = time.map_or(Value::Null, |time| time.value());
            record.insert(field.into(), value);
        }
    }
    Ok(())
}

fn day_of_year(cell: Cell<'_>) -> Result<i64, String> {
    let number = match cell {
        Cell::Number(number) if number.abs() < 1e6 => Some(number.trunc() as i64),
        Cell::Text(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.ok_or_else(|| "it is no number".into())
}

/// A cell; a text without blanks around it, null when it is empty.
fn value(row: &Row<'_>, column: usize, field: &str) -> Result<Value, FieldError> {
    let cell = row.cell(column);
    match cell.text().map(str::trim) {
        Some("") => Ok(Value::Null),
        Some(text) => Ok(text.into()),
        None => cell
            .value(Dates::From1900)
            .map_err(|reason| FieldError::new(field, reason)),
    }
}

fn report_type(name: &str) -> Option<&'static str> {
    let kinds = [
        (" DOR ", "daily"),
        (" WOR ", "weekly"),
        (" MOR ", "monthly"),
    ];
    let kind = kinds.into_iter().find(|(mark, _)| name.contains(mark))?;
    Some(kind.1)
}
