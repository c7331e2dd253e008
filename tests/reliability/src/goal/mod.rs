//! The goals: one file or folder each.

mod answers;
mod blocked;
mod broker;
mod conflicts;
mod crashes;
mod failpoints;
mod hang;
mod health;
mod large;
mod machine;
mod poison;
mod power_cut;
mod pressure;
mod refused;
mod replay;
mod search;
mod secrets;
mod shared_folder;

use std::fmt;

use anyhow::Result;
use futures_util::future::LocalBoxFuture;

use crate::report::Report;

/// One promise, proved.
#[derive(Clone, Copy)]
pub struct Goal {
    /// By which it is asked for.
    pub name: &'static str,
    /// It measures how fast something is: nothing else may run beside it.
    pub alone: bool,
    /// What is proved, in one line.
    pub promise: &'static str,
    /// Breaks things and judges; an error when the promise does not hold.
    pub run: fn(Setting) -> LocalBoxFuture<'static, Result<Report>>,
}

/// How a goal is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Few rounds or all of them.
    pub length: Length,
    /// What data and faults are made from.
    pub seed: u64,
}

/// Few rounds or all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// About a minute on two quiet cores.
    Short,
    /// As long as the figures of the promise say.
    Long,
}

impl Setting {
    /// `short` or `long`, as the length is.
    pub fn pick<T>(&self, short: T, long: T) -> T {
        match self.length {
            Length::Short => short,
            Length::Long => long,
        }
    }
}

impl fmt::Display for Length {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Short => "short",
            Self::Long => "long",
        })
    }
}

/// All goals, in the order in which they are run.
pub fn all() -> Vec<Goal> {
    let mut all = vec![
        failpoints::EMBEDDED,
        failpoints::REAL,
        crashes::GOAL,
        power_cut::GOAL,
        shared_folder::GOAL,
        machine::GOAL,
        poison::EMBEDDED,
        poison::REAL,
        conflicts::GOAL,
        search::GOAL,
        large::GOAL,
        pressure::GOAL,
        refused::GOAL,
        replay::GOAL,
        hang::GOAL,
        health::GOAL,
        answers::GOAL,
        blocked::GOAL,
        secrets::GOAL,
    ];
    all.extend(broker::GOALS);
    all
}
