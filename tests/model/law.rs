//! What must be true in every state.

/// A law, by what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Law {
    OneHolder,
    NothingEndsUntold,
    NothingConfirmedIsVoid,
    OneFenceOneClaim,
    DecidedOnce,
    OnlyWhatWasMeant,
    TheLivingStay,
    NothingVanishes,
    AllAgree,
}

impl Law {
    pub fn name(self) -> &'static str {
        match self {
            Law::OneHolder => "a task and overlapping paths have one holder, and fences rise",
            Law::NothingEndsUntold => "nothing ends without an event and a message",
            Law::NothingConfirmedIsVoid => "no event that was confirmed is void",
            Law::OneFenceOneClaim => "no two claims were given one fence",
            Law::DecidedOnce => "a request is decided exactly once",
            Law::OnlyWhatWasMeant => "a request does nothing to a claim it never saw",
            Law::TheLivingStay => "the living do not expire",
            Law::NothingVanishes => "no event vanishes",
            Law::AllAgree => "after an exchange of everybody all agree",
        }
    }
}

/// A mend that is taken out, to see what it was good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// What is done while the remote cannot be asked enters the record at once.
    ProvisionalIsShared,
    /// An id after another is the next number.
    NextNumber,
    /// The table is pushed alone, and its record follows with the next exchange.
    TableAlone,
    /// What changes nothing in the table does not ask it.
    RecordAlone,
    /// Events stand in the order of their ids, and name no claim.
    OrderOfStamps,
    /// A provisional claim has the fence that it would get here.
    FenceOfTheView,
    /// What a push confirmed replaces what was done here meanwhile.
    PushReplacesView,
    /// A claim that is handed over stays in the clone of its giver.
    CloneOfTheGiver,
    /// The table does not say which requests were decided.
    ServedIsNotWritten,
    /// A request does not name the claim and the submission that it is about.
    RequestsNameNothing,
    /// Who shall review is changed without asking the table, even during a review.
    ReviewerIsFree,
}
