//! What is wrong with a pipeline file, told so that it can be mended without asking.

use std::fmt;

/// Refuses the pipeline, or does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The pipeline cannot run.
    Error,
    /// Probably not meant so.
    Warning,
}

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// Whether it refuses the pipeline.
    pub severity: Severity,
    /// The file, as the user named it.
    pub file: String,
    /// From 1; 0 when the file as a whole is meant.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// Path in the file: `interfaces[1].collect.file.pth`; empty for the file as a whole.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// The line of the file, secrets left out.
    pub excerpt: Option<String>,
}

/// Why a pipeline was refused: everything that is wrong with it, in the order of the files.
#[derive(Debug, Clone, thiserror::Error)]
pub struct LoadError {
    /// At least one of them is an error.
    pub problems: Vec<Problem>,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, problem) in self.problems.iter().enumerate() {
            if number > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

/// Columns shown around the place.
const WIDTH: usize = 100;

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        f.write_str(": ")?;
        if self.severity == Severity::Warning {
            f.write_str("warning: ")?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        writeln!(f, "{}", self.message)?;
        let number = self.line.to_string();
        let margin = " ".repeat(number.len());
        if let Some(excerpt) = &self.excerpt {
            let (shown, caret) = window(excerpt, self.column);
            writeln!(f, "{margin} |")?;
            writeln!(f, "{number} | {shown}")?;
            writeln!(f, "{margin} | {}^", " ".repeat(caret))?;
        }
        if let Some(hint) = &self.hint {
            writeln!(f, "{margin} = help: {hint}")?;
        }
        Ok(())
    }
}

/// The part of a long line around `column`, and how far in the place is.
fn window(line: &str, column: usize) -> (String, usize) {
    let at = column.saturating_sub(1);
    let start = if at < WIDTH { 0 } else { at - WIDTH / 2 };
    let visible = |letter: char| if letter.is_control() { ' ' } else { letter };
    let shown: String = line.chars().skip(start).take(WIDTH).map(visible).collect();
    let caret = at - start;
    (shown.trim_end().to_owned(), caret)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem() -> Problem {
        Problem {
            severity: Severity::Error,
            file: "pipelines/x/collect.yaml".into(),
            line: 12,
            column: 9,
            path: "interfaces[1].collect.file.pth".into(),
            message: "unknown key `pth`".into(),
            hint: Some("did you mean `paths`?".into()),
            excerpt: Some("        pth: [samples]".into()),
        }
    }

    #[test]
    fn a_problem_points_into_the_file() {
        let expected = "\
pipelines/x/collect.yaml:12:9: interfaces[1].collect.file.pth: unknown key `pth`
   |
12 |         pth: [samples]
   |         ^
   = help: did you mean `paths`?
";
        assert_eq!(problem().to_string(), expected);
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let excerpt = format!("{}pth: 1", "ü".repeat(5000));
        let text = Problem {
            column: 5001,
            excerpt: Some(excerpt),
            ..problem()
        }
        .to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert!(text.len() < 500, "{text}");
        let caret = lines[3].chars().position(|letter| letter == '^');
        assert_eq!(lines[2].chars().position(|letter| letter == 'p'), caret);
    }
}
