//! Bugs planted on purpose, to see that the simulation finds them. Only with the feature `simulation`, and
//! only on a thread that asked for one; without the feature [`planted()`] is the constant `false`.

/// A bug that can be planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // The name says what is done wrong.
pub enum Bug {
    AcknowledgeWhatIsAway,
    IgnoreALostConfirm,
    IgnoreAReturnedMessage,
    ForgetAHalf,
    WriteWithoutIntent,
    ForgetTheIntentFirst,
    IgnoreOldIntents,
    TakeTheIntentOfACopy,
    SkipAConflict,
    OverwriteOnConflict,
    SkipABusyDocument,
    TakeBusyForRefused,
    TakeALostAnswerForDone,
    ForgetAnUncertainWrite,
    IgnoreARefusal,
    SearchWithoutRefresh,
    WriteWhatDidNotChange,
    TrustOldInputs,
    AnnounceWhatIsPlanned,
    NeverLookForOldIntents,
    SettleBeforeTheAnnouncement,
    ForgetTheStartMark,
    IgnoreTheStartMark,
    BookmarkAhead,
    ForgetABadRecord,
    ForgetDoubtfulWrites,
    SkipAConflictOfAFlow,
    IgnoreAReturnedMessageOfAFlow,
    NeverWorkAlone,
    ForgetADeath,
    GiveTheWholeUp,
    ForgetAHalfOfACut,
}

impl Bug {
    /// All of them.
    pub const ALL: [Self; 32] = [
        Self::AcknowledgeWhatIsAway,
        Self::IgnoreALostConfirm,
        Self::IgnoreAReturnedMessage,
        Self::ForgetAHalf,
        Self::WriteWithoutIntent,
        Self::ForgetTheIntentFirst,
        Self::IgnoreOldIntents,
        Self::TakeTheIntentOfACopy,
        Self::SkipAConflict,
        Self::OverwriteOnConflict,
        Self::SkipABusyDocument,
        Self::TakeBusyForRefused,
        Self::TakeALostAnswerForDone,
        Self::ForgetAnUncertainWrite,
        Self::IgnoreARefusal,
        Self::SearchWithoutRefresh,
        Self::WriteWhatDidNotChange,
        Self::TrustOldInputs,
        Self::AnnounceWhatIsPlanned,
        Self::NeverLookForOldIntents,
        Self::SettleBeforeTheAnnouncement,
        Self::ForgetTheStartMark,
        Self::IgnoreTheStartMark,
        Self::BookmarkAhead,
        Self::ForgetABadRecord,
        Self::ForgetDoubtfulWrites,
        Self::SkipAConflictOfAFlow,
        Self::IgnoreAReturnedMessageOfAFlow,
        Self::NeverWorkAlone,
        Self::ForgetADeath,
        Self::GiveTheWholeUp,
        Self::ForgetAHalfOfACut,
    ];
}

/// The line at which a bug can be planted: where it is, `wrong` happens. Right is what the code says without
/// this line.
#[macro_export]
macro_rules! planted {
    ($bug:ident, $wrong:expr) => {
        if $crate::planted::planted($crate::planted::Bug::$bug) {
            $wrong;
        }
    };
}

/// Whether this bug is planted on this thread.
#[cfg(not(feature = "simulation"))]
#[inline(always)]
pub const fn planted(_bug: Bug) -> bool {
    false
}

#[cfg(feature = "simulation")]
pub use on::{plant, planted};

#[cfg(feature = "simulation")]
mod on {
    use std::cell::Cell;

    use super::Bug;

    thread_local! {
        static PLANTED: Cell<Option<Bug>> = const { Cell::new(None) };
    }

    /// From now on this thread has this bug, or none.
    pub fn plant(bug: Option<Bug>) {
        PLANTED.set(bug);
    }

    /// Whether this bug is planted on this thread.
    pub fn planted(bug: Bug) -> bool {
        PLANTED.get() == Some(bug)
    }
}
