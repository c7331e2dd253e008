//! What the program prints: tables and JSON on standard output, failures and progress on standard error.

use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;

use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, Table};
use indicatif::MultiProgress;
use maas_model::secret::{covered, without_url_secrets};
use serde_json::Value;
use tracing_subscriber::fmt::MakeWriter;

use super::options::Format;

/// The bars on the terminal; log lines are written around them.
pub(crate) fn bars() -> &'static MultiProgress {
    static BARS: OnceLock<MultiProgress> = OnceLock::new();
    BARS.get_or_init(MultiProgress::new)
}

/// Writes a line to standard output. A reader that went away (`maas query | head`) ends the program quietly.
pub(crate) fn line(text: &str) -> anyhow::Result<()> {
    match writeln!(io::stdout().lock(), "{text}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        result => Ok(result?),
    }
}

/// Writes a line to standard error: what is wrong with data, among other things that are well.
pub(crate) fn complaint(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", covered(text));
}

/// Says what is wrong with the command line, and ends the program. An address that was given where none is wanted
/// is repeated without its password.
pub(crate) fn wrong_arguments(error: &clap::Error) -> ! {
    if !error.use_stderr() {
        error.exit();
    }
    let text = error.render();
    let text = match io::stderr().is_terminal() {
        true => text.ansi().to_string(),
        false => text.to_string(),
    };
    let _ = io::stderr().write_all(without_url_secrets(&text).as_bytes());
    std::process::exit(error.exit_code());
}

/// Panics are told as ever, without secrets.
pub(crate) fn panics() {
    std::panic::set_hook(Box::new(|info| {
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("<unnamed>");
        let mut text = format!("\nthread '{name}' {info}\n");
        if std::env::var_os("RUST_BACKTRACE").is_some_and(|wanted| wanted != "0") {
            text.push_str(&std::backtrace::Backtrace::force_capture().to_string());
        }
        let _ = io::stderr().write_all(covered(&text).as_bytes());
    }));
}

/// Writes an error with its causes to standard error.
pub(crate) fn failure(error: &anyhow::Error) {
    let mut text = format!("error: {error}\n");
    for cause in error.chain().skip(1) {
        text.push_str(&format!("  because: {cause}\n"));
    }
    // Nobody is left to tell when standard error is closed.
    let _ = io::stderr().write_all(covered(&text).as_bytes());
}

/// Columns and rows that can be printed in every [`Format`].
pub(crate) struct Rows {
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
}

impl Rows {
    pub(crate) fn new<C: Into<String>>(columns: impl IntoIterator<Item = C>) -> Self {
        Self {
            columns: columns.into_iter().map(Into::into).collect(),
            rows: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, row: impl IntoIterator<Item = Value>) {
        self.rows.push(row.into_iter().collect());
    }

    pub(crate) fn print(self, format: Format) -> anyhow::Result<()> {
        match format {
            Format::Table => line(&self.table()),
            Format::Json => {
                let objects: Vec<Value> = self.objects().collect();
                line(&serde_json::to_string_pretty(&objects)?)
            }
            Format::Jsonl => {
                for object in self.objects() {
                    line(&object.to_string())?;
                }
                Ok(())
            }
        }
    }

    fn objects(self) -> impl Iterator<Item = Value> {
        let columns = self.columns;
        self.rows.into_iter().map(move |row| {
            let fields = columns.iter().cloned().zip(row);
            Value::Object(fields.filter(|(_, value)| !value.is_null()).collect())
        })
    }

    /// The table as text: numbers to the right, cut to the terminal's width.
    pub(crate) fn table(&self) -> String {
        let mut table = Table::new();
        table.load_style(ASCII_MARKDOWN).set_header(&self.columns);
        if io::stdout().is_terminal() {
            table.set_content_arrangement(comfy_table::ContentArrangement::Dynamic);
        }
        for row in &self.rows {
            table.add_row(row.iter().map(text));
        }
        for (number, column) in table.column_iter_mut().enumerate() {
            let numbers = self
                .rows
                .iter()
                .all(|row| row.get(number).is_none_or(Value::is_number));
            if numbers {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table.to_string()
    }
}

/// A value as it stands in a table.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Number(number) => match number.as_u64() {
            Some(whole) => thousands(whole),
            None => number.to_string(),
        },
        other => other.to_string(),
    }
}

/// `1234567` as `1,234,567`.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Writes log lines above the progress bars instead of through them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AroundProgress;

impl Write for AroundProgress {
    /// A whole line each time, so that no secret is cut in two.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        bars().suspend(|| io::stderr().write_all(covered(&text).as_bytes()))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

impl<'a> MakeWriter<'a> for AroundProgress {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        Self
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        let expected = [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (1_234_567, "1,234,567"),
        ];
        for (number, text) in expected {
            assert_eq!(thousands(number), text);
        }
    }

    #[test]
    fn absent_values_are_left_out_of_json() {
        let mut rows = Rows::new(["a", "b"]);
        rows.push([json!(1), Value::Null]);
        assert_eq!(rows.objects().collect::<Vec<_>>(), [json!({"a": 1})]);
    }
}
