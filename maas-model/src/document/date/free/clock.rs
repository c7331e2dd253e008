//! The time of day, part by part.

use chrono::NaiveTime;

use super::Reason;

/// What is known of the time of day.
#[derive(Default)]
pub(super) struct Clock {
    pub(super) hour: Option<u32>,
    pub(super) minute: Option<u32>,
    pub(super) second: Option<u32>,
    pub(super) micros: Option<u32>,
    has_half: bool,
}

impl Clock {
    pub(super) fn is_empty(&self) -> bool {
        self.hour.is_none() && self.minute.is_none() && self.second.is_none()
    }

    /// `pm` behind an hour that is already known.
    pub(super) fn half(&mut self, afternoon: bool) -> Result<(), Reason> {
        match self.hour {
            Some(hour @ 0..=12) => self.set_half(hour, afternoon),
            Some(_) => return Err("`am` and `pm` want an hour up to 12"),
            None => return Err("`am` and `pm` want an hour before them"),
        }
        self.has_half = true;
        Ok(())
    }

    /// An hour of a half day.
    pub(super) fn set_half(&mut self, hour: u32, afternoon: bool) {
        self.hour = Some(match hour {
            12 if !afternoon => 0,
            hour if hour < 12 && afternoon => hour + 12,
            hour => hour,
        });
    }

    /// Midnight and what is known.
    pub(super) fn time(&self) -> Result<NaiveTime, Reason> {
        NaiveTime::from_hms_micro_opt(
            self.hour.unwrap_or(0),
            self.minute.unwrap_or(0),
            self.second.unwrap_or(0),
            self.micros.unwrap_or(0),
        )
        .ok_or("there is no such time of day")
    }
}
