//! The words of a text, and what they mean.

use chrono::Weekday;

/// Cuts a text into runs of letters, numbers (with their fraction), single blanks and single marks.
pub(super) fn split(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().filter(|c| *c != '\0').collect();
    let mut words = Vec::new();
    let mut at = 0;
    while let Some(&first) = chars.get(at) {
        let start = at;
        at += 1;
        if first.is_alphabetic() || first.is_ascii_digit() {
            let letters = run(&chars, &mut at);
            push_run(&chars[start..at], letters, &mut words);
        } else if first.is_whitespace() {
            words.push(" ".to_owned());
        } else {
            words.push(first.to_string());
        }
    }
    words
}

/// Moves `at` behind the run that began before it; whether there is a letter in it. A point may stand
/// between letters or digits, a comma behind two digits.
fn run(chars: &[char], at: &mut usize) -> bool {
    #[derive(PartialEq)]
    enum State {
        Letters,
        Digits,
        PointedLetters,
        PointedDigits,
    }
    let start = *at - 1;
    let mut letters = chars[start].is_alphabetic();
    let mut state = if letters {
        State::Letters
    } else {
        State::Digits
    };
    while let Some(&next) = chars.get(*at) {
        let after_point = chars[*at - 1] == '.';
        let digits = *at - start;
        state = match state {
            State::Letters if next.is_alphabetic() => State::Letters,
            State::Letters if next == '.' => State::PointedLetters,
            State::Digits if next.is_ascii_digit() => State::Digits,
            State::Digits if next == '.' || (next == ',' && digits >= 2) => State::PointedDigits,
            State::PointedLetters if next == '.' || next.is_alphabetic() => State::PointedLetters,
            State::PointedLetters if next.is_ascii_digit() && after_point => State::PointedDigits,
            State::PointedDigits if next == '.' || next.is_ascii_digit() => State::PointedDigits,
            State::PointedDigits if next.is_alphabetic() && after_point => State::PointedLetters,
            _ => break,
        };
        letters |= matches!(state, State::PointedLetters | State::Letters);
        *at += 1;
    }
    letters
}

/// A run with one point between digits is a number; otherwise its points are marks.
fn push_run(run: &[char], letters: bool, words: &mut Vec<String>) {
    let marks = run.iter().filter(|c| matches!(c, '.' | ',')).count();
    let points = run.iter().filter(|c| **c == '.').count();
    let ends_in_mark = matches!(run.last(), Some('.' | ','));
    if marks > 0 && (letters || points > 1 || ends_in_mark) {
        for word in run.split_inclusive(|c| matches!(c, '.' | ',')) {
            let (word, mark) = match word.split_last() {
                Some((mark @ ('.' | ','), word)) => (word, Some(mark)),
                _ => (word, None),
            };
            if !word.is_empty() {
                words.push(word.iter().collect());
            }
            words.extend(mark.map(char::to_string));
        }
    } else {
        words.push(
            run.iter()
                .map(|c| if *c == ',' { '.' } else { *c })
                .collect(),
        );
    }
}

/// `Mon`, `monday`.
pub(super) fn weekday(word: &str) -> Option<Weekday> {
    use Weekday::{Fri, Mon, Sat, Sun, Thu, Tue, Wed};
    Some(match word.to_ascii_lowercase().as_str() {
        "mon" | "monday" => Mon,
        "tue" | "tuesday" => Tue,
        "wed" | "wednesday" => Wed,
        "thu" | "thursday" => Thu,
        "fri" | "friday" => Fri,
        "sat" | "saturday" => Sat,
        "sun" | "sunday" => Sun,
        _ => return None,
    })
}

/// `Jan`, `january`: 1.
pub(crate) fn month(word: &str) -> Option<u32> {
    Some(match word.to_ascii_lowercase().as_str() {
        "jan" | "january" => 1,
        "feb" | "february" => 2,
        "mar" | "march" => 3,
        "apr" | "april" => 4,
        "may" => 5,
        "jun" | "june" => 6,
        "jul" | "july" => 7,
        "aug" | "august" => 8,
        "sep" | "sept" | "september" => 9,
        "oct" | "october" => 10,
        "nov" | "november" => 11,
        "dec" | "december" => 12,
        _ => return None,
    })
}

/// `pm`, and `am`: false.
pub(super) fn afternoon(word: &str) -> Option<bool> {
    match word.to_ascii_lowercase().as_str() {
        "am" | "a" => Some(false),
        "pm" | "p" => Some(true),
        _ => None,
    }
}

/// A unit of time of day: 0 hours, 1 minutes, 2 seconds.
pub(super) fn unit(word: &str) -> Option<usize> {
    match word.to_ascii_lowercase().as_str() {
        "h" | "hour" | "hours" => Some(0),
        "m" | "minute" | "minutes" => Some(1),
        "s" | "second" | "seconds" => Some(2),
        _ => None,
    }
}

/// The names of UTC.
pub(super) fn is_utc(word: &str) -> bool {
    matches!(word, "UTC" | "GMT" | "Z" | "z")
}

/// Words that may stand between parts and mean nothing.
pub(super) fn is_filler(word: &str) -> bool {
    matches!(
        word.to_ascii_lowercase().as_str(),
        " " | "."
            | ","
            | ";"
            | "-"
            | "/"
            | "'"
            | "at"
            | "on"
            | "and"
            | "ad"
            | "m"
            | "t"
            | "of"
            | "st"
            | "nd"
            | "rd"
            | "th"
    )
}

/// A number of digits only.
pub(super) fn digits(word: &str) -> Option<u32> {
    let plain = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| word.parse().ok())?
}
