//! The table of a run.

/// One workload.
#[derive(Debug, Clone, Default)]
pub struct Row {
    /// What was done.
    pub work: String,
    /// How much of it per second.
    pub per_second: f64,
    /// The documents written for it as a share of the raw rate, where that makes sense.
    pub share: Option<f64>,
    /// Own processor time per product, in microseconds.
    pub cpu_microseconds: Option<f64>,
    /// The most resident memory.
    pub peak_mebibytes: Option<f64>,
    /// What was to be reached.
    pub goal: String,
}

/// All workloads of one run.
#[derive(Debug, Default)]
pub struct Report(pub Vec<Row>);

impl Report {
    /// As Markdown.
    pub fn markdown(&self) -> String {
        let mut text = String::from(
            "| work | per second | share of raw `_bulk` | own CPU us/product | peak MiB | goal |\n|---|---|---|---|---|---|\n",
        );
        let some = |value: Option<f64>, unit: &str| {
            value.map_or_else(|| "-".to_owned(), |value| format!("{value:.0}{unit}"))
        };
        for row in &self.0 {
            text.push_str(&format!(
                "| {} | {:.0} | {} | {} | {} | {} |\n",
                row.work,
                row.per_second,
                some(row.share.map(|share| share * 100.0), " %"),
                some(row.cpu_microseconds, ""),
                some(row.peak_mebibytes, ""),
                row.goal,
            ));
        }
        text
    }
}
