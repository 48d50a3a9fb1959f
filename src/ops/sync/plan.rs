//! What is to be done so that this clone and the remote have the same: a pure function.

use crate::git::{Oid, Relation};
use crate::store::Tips;

/// How things stand, as far as that can be told without reading any file.
#[derive(Debug, Clone)]
pub struct View {
    pub local: Tips,
    /// What the remote had when it was last asked.
    pub known: Tips,
    pub remote: Tips,
    /// How the record here stands to the remote's, where both have one.
    pub record: Option<Relation>,
    /// How the table here stands to the remote's, where both have one.
    pub table: Option<Relation>,
    /// How what was known stands to what the remote has, where both are there.
    pub record_since: Option<Relation>,
    pub table_since: Option<Relation>,
    /// Whether the table here, and the remote's, cannot be read. Asked only where they differ.
    pub damaged: Damaged,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Damaged {
    pub local: bool,
    pub remote: bool,
}

/// What becomes of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordStep {
    /// Both have the same.
    Nothing,
    /// The remote has more: the ref here follows.
    Follow(Oid),
    /// This clone has more: it is pushed.
    Push(Oid),
    /// Each has what the other lacks.
    Merge(Oid, Oid),
}

/// What becomes of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableStep {
    Nothing,
    /// The remote decided: the ref here follows.
    Follow(Oid),
    /// What is here was made on the very table that the remote has.
    Push(Oid),
    /// Each has something that the other lacks: what is held here is asked for again.
    Reunite {
        here: Oid,
        onto: Oid,
    },
}

/// Something that should not have happened, and that sync has dealt with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Oddity {
    RecordDeleted,
    RecordRewritten,
    TableDeleted,
    TableRewritten,
    /// The table here cannot be read, and is not given to the remote.
    TableDamaged,
    /// The remote's table cannot be read, so what depends on it waits.
    TheirTableDamaged,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub record: RecordStep,
    pub table: TableStep,
    pub oddities: Vec<Oddity>,
}

/// Decides what to do. Whoever has more gives; where both have more, it is merged or asked for again.
///
/// A ref that the remote lost, or that somebody moved back by force, changes nothing about that:
/// what this clone has is given again.
pub fn plan(view: &View) -> Plan {
    let record = match (view.local.record, view.remote.record) {
        (None, None) => RecordStep::Nothing,
        (None, Some(remote)) => RecordStep::Follow(remote),
        (Some(local), None) => RecordStep::Push(local),
        (Some(local), Some(remote)) => match view.record {
            Some(Relation::Same) => RecordStep::Nothing,
            Some(Relation::Ahead) => RecordStep::Push(local),
            Some(Relation::Behind) => RecordStep::Follow(remote),
            Some(Relation::Diverged) | None => RecordStep::Merge(local, remote),
        },
    };
    let table = match (view.local.table, view.remote.table) {
        (None, None) => TableStep::Nothing,
        (None, Some(remote)) => TableStep::Follow(remote),
        (Some(_), None) if view.damaged.local => TableStep::Nothing,
        (Some(local), None) => TableStep::Push(local),
        (Some(local), Some(remote)) => match view.table {
            Some(Relation::Same) => TableStep::Nothing,
            Some(Relation::Ahead) if view.damaged.local => TableStep::Nothing,
            Some(Relation::Ahead) => TableStep::Push(local),
            Some(Relation::Behind) => TableStep::Follow(remote),
            Some(Relation::Diverged) | None if view.damaged.remote => TableStep::Nothing,
            Some(Relation::Diverged) | None => TableStep::Reunite {
                here: local,
                onto: remote,
            },
        },
    };
    let is_rewritten = |since: Option<Relation>| {
        // The remote lacks something that it had.
        matches!(since, Some(Relation::Ahead | Relation::Diverged))
    };
    let mut oddities = Vec::new();
    if view.known.record.is_some() && view.remote.record.is_none() {
        oddities.push(Oddity::RecordDeleted);
    } else if is_rewritten(view.record_since) {
        oddities.push(Oddity::RecordRewritten);
    }
    if view.known.table.is_some() && view.remote.table.is_none() {
        oddities.push(Oddity::TableDeleted);
    } else if is_rewritten(view.table_since) {
        oddities.push(Oddity::TableRewritten);
    }
    let waits = table == TableStep::Nothing;
    if view.damaged.local && waits {
        oddities.push(Oddity::TableDamaged);
    } else if view.damaged.remote && (waits || matches!(table, TableStep::Follow(_))) {
        oddities.push(Oddity::TheirTableDamaged);
    }
    Plan {
        record,
        table,
        oddities,
    }
}

impl Oddity {
    /// Says what happened and what was done about it.
    pub fn message(self, remote: &str) -> String {
        let there = |what| format!("on `{remote}` {what}");
        match self {
            Oddity::RecordDeleted => there("the record was deleted; it is pushed again"),
            Oddity::RecordRewritten => {
                there("the record was rewritten by force; what it lost is merged in again")
            }
            Oddity::TableDeleted => there("the claims table was deleted; it is pushed again"),
            Oddity::TableRewritten => there(
                "the claims table was moved back by force; the claims it lost are asked for again",
            ),
            Oddity::TableDamaged => {
                "the claims table here cannot be read, and is not pushed; `reflectt doctor` says what to do".to_owned()
            }
            Oddity::TheirTableDamaged => there(
                "the claims table cannot be read, and claims wait; `reflectt doctor` says what to do",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oid(n: u8) -> Oid {
        Oid::from_bytes(&[n; 20]).unwrap()
    }

    fn tips(record: Option<u8>, table: Option<u8>) -> Tips {
        Tips {
            record: record.map(oid),
            table: table.map(oid),
        }
    }

    fn view(local: Tips, remote: Tips, relation: Option<Relation>) -> View {
        View {
            local,
            known: remote,
            remote,
            record: relation,
            table: relation,
            record_since: remote.record.map(|_| Relation::Same),
            table_since: remote.table.map(|_| Relation::Same),
            damaged: Damaged::default(),
        }
    }

    #[test]
    fn a_table_that_cannot_be_read_is_not_built_upon_nor_given_away() {
        use Relation::{Ahead, Behind, Diverged};
        let step = |relation: Option<Relation>, local, remote| {
            let there = tips(Some(3), relation.map(|_| 4));
            let it = View {
                damaged: Damaged { local, remote },
                ..view(tips(Some(1), Some(2)), there, relation)
            };
            let plan = plan(&it);
            (plan.table, plan.oddities)
        };
        let ours = (TableStep::Nothing, vec![Oddity::TableDamaged]);
        let theirs = (TableStep::Nothing, vec![Oddity::TheirTableDamaged]);
        assert_eq!(step(Some(Ahead), true, false), ours);
        assert_eq!(step(None, true, false), ours);
        assert_eq!(step(Some(Diverged), false, true), theirs);
        // Its versions before the damage are asked for on the remote's.
        assert!(matches!(
            step(Some(Diverged), true, false).0,
            TableStep::Reunite { .. }
        ));
        // What the remote has is what there is.
        let (followed, said) = step(Some(Behind), false, true);
        assert!(matches!(followed, TableStep::Follow(_)));
        assert_eq!(said, [Oddity::TheirTableDamaged]);
    }

    #[test]
    fn whoever_has_more_gives() {
        let both = |relation| {
            let it = view(tips(Some(1), Some(2)), tips(Some(3), Some(4)), relation);
            let plan = plan(&it);
            assert_eq!(plan.oddities, []);
            (plan.record, plan.table)
        };
        use Relation::{Ahead, Behind, Diverged, Same};
        assert_eq!(both(Some(Same)), (RecordStep::Nothing, TableStep::Nothing));
        assert_eq!(
            both(Some(Ahead)),
            (RecordStep::Push(oid(1)), TableStep::Push(oid(2)))
        );
        assert_eq!(
            both(Some(Behind)),
            (RecordStep::Follow(oid(3)), TableStep::Follow(oid(4)))
        );
        let reunite = TableStep::Reunite {
            here: oid(2),
            onto: oid(4),
        };
        assert_eq!(
            both(Some(Diverged)),
            (RecordStep::Merge(oid(1), oid(3)), reunite)
        );
    }

    #[test]
    fn what_one_side_lacks_it_gets() {
        let empty = Tips::default();
        let full = tips(Some(1), Some(2));
        let give = plan(&view(full, empty, None));
        assert_eq!(
            (give.record, give.table),
            (RecordStep::Push(oid(1)), TableStep::Push(oid(2)))
        );
        let take = plan(&view(empty, full, None));
        assert_eq!(
            (take.record, take.table),
            (RecordStep::Follow(oid(1)), TableStep::Follow(oid(2)))
        );
        let neither = plan(&view(empty, empty, None));
        assert_eq!(
            (neither.record, neither.table),
            (RecordStep::Nothing, TableStep::Nothing)
        );
    }

    #[test]
    fn refs_that_were_deleted_or_moved_back_are_reported_and_given_again() {
        let full = tips(Some(1), Some(2));
        let gone = View {
            known: full,
            ..view(full, Tips::default(), None)
        };
        let plan_gone = plan(&gone);
        assert_eq!(plan_gone.record, RecordStep::Push(oid(1)));
        assert_eq!(
            plan_gone.oddities,
            [Oddity::RecordDeleted, Oddity::TableDeleted]
        );
        let back = View {
            known: full,
            record_since: Some(Relation::Ahead),
            table_since: Some(Relation::Diverged),
            ..view(full, tips(Some(3), Some(4)), Some(Relation::Ahead))
        };
        let plan_back = plan(&back);
        assert_eq!(plan_back.record, RecordStep::Push(oid(1)));
        assert_eq!(
            plan_back.oddities,
            [Oddity::RecordRewritten, Oddity::TableRewritten]
        );
    }
}
